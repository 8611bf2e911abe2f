//! Callbacks that no gateway posted: without a good token, or with it and with one thing that is not as we asked.

mod fields;
mod outcome;
mod stage;
mod strangers;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use malipo::Timestamp;
use malipo::journal::CallbackUrls;
use malipo_sim::Gateway;

use crate::altered::{Alterations, AsBuilt};
use crate::gateways::{self, House};
use crate::unbuilt::Unbuilt;
pub use fields::Field;
pub use outcome::{Forged, Met, Paid};
use trial::Trial;

/// All of them.
const GATEWAYS: [Gateway; 4] = [Gateway::Daraja, Gateway::KasaPay, Gateway::SasaPay, Gateway::Kyanda];
/// The fewest and the most payments at each gateway.
const PAYMENTS: [u64; 2] = [30, 300];
/// How many forgeries with the token there are for each payment, at the least.
const FOR_EACH: u64 = 40;

/// Forgeries that are to be posted, in a world in which time passes only when we say so.
#[derive(Debug, Clone)]
pub struct Forgeries<'a> {
    house: &'a House,
    strangers: u64,
    insiders: u64,
    seed: u64,
    folder: Option<PathBuf>,
    altered: Arc<dyn Alterations>,
}

impl<'a> Forgeries<'a> {
    /// None yet, and nothing altered.
    pub fn of(house: &'a House) -> Self {
        Self { house, strangers: 0, insiders: 0, seed: 1, folder: None, altered: Arc::new(AsBuilt) }
    }

    /// Posts so many without a good token.
    #[must_use]
    pub fn without_token(mut self, count: u64) -> Self {
        self.strangers = count;
        self
    }

    /// Posts so many to the right URL, each with one thing that is not as we asked.
    #[must_use]
    pub fn with_token(mut self, count: u64) -> Self {
        self.insiders = count;
        self
    }

    /// What chance follows from.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Keeps the books there and not in memory.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// Puts parts in the place of others.
    #[must_use]
    pub fn altered(mut self, alterations: Arc<dyn Alterations>) -> Self {
        self.altered = alterations;
        self
    }

    /// The URLs that are good there at `now`: whoever is to ignore a tag has to know the right one.
    ///
    /// # Errors
    ///
    /// When they cannot be made.
    pub fn urls(now: Timestamp) -> Result<CallbackUrls, Unbuilt> {
        stage::urls(now).map(|(urls, _)| urls)
    }

    /// Posts them, has everything read, looks whether anything moved, and then lets the gateways tell the truth.
    ///
    /// # Errors
    ///
    /// When the world cannot be put together, which says nothing of what it was to prove.
    pub async fn go(self) -> Result<Forged, Unbuilt> {
        let [least, most] = PAYMENTS;
        let each = u32::try_from((self.insiders / FOR_EACH / 4).clamp(least, most)).unwrap_or_default();
        let own = gateways::folder()?;
        let folder = self.folder.clone().unwrap_or_else(|| own.path().to_owned());
        let stage = stage::Stage::set(&self, &folder, each).await?;
        Trial::new(stage, self.seed)?.run(self.strangers, self.insiders).await
    }
}
