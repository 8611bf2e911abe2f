use super::Stop;
use crate::tx::Tx;
use crate::{Advance, Done};

pub(super) async fn advance(tx: &mut dyn Tx, advance: Advance) -> Result<Done, Stop> {
    let Advance { follower, stream, position } = advance;
    tx.advance(&follower, stream, position).await?;
    Ok(Done::Advanced(tx.position(&follower, stream).await?))
}
