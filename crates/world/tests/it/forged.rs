//! Callbacks that no gateway posted: none of them settles anything, and harnesses that would not see it are no proof.

use malipo_world::{Forged, Forgeries};

use crate::house;

fn run(forgeries: Forgeries<'_>) -> Forged {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(forgeries.go()).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn of_twenty_thousand_forged_callbacks_none_settles_anything() {
    let forged = run(Forgeries::of(house()).without_token(15_000).with_token(5_000));
    println!("{forged}");
    assert_eq!(forged.violations, Vec::<String>::new(), "{forged}");
    assert_eq!((forged.strangers(), forged.insiders()), (15_000, 5_000));
    assert_eq!((forged.settled, forged.stored), (0, 0));
    for ((gateway, field), met) in &forged.with_token {
        assert!(met.fresh > 0 && met.in_review > 0, "{gateway} {}: {met:?}", field.as_str());
    }
    assert!(forged.untouched.of >= 4 && forged.untouched.of == forged.untouched.paid, "{forged}");
}
