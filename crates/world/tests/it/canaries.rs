//! The checker is checked: whatever is broken on purpose is found by the invariant that is meant for it.

pub(crate) mod journals;
pub(crate) mod parts;

use std::sync::Arc;

use malipo_sim::Gateway;
use malipo_world::{Alterations, Invariant, Run};

use crate::{house, scenario};

/// Nobody dies, and yet it is found.
fn finds(gateway: Gateway, name: &str, broken: impl Alterations + 'static, invariant: Invariant) {
    let scenario = scenario(gateway, name);
    let sound = Run::of(house(), &scenario).go().unwrap();
    assert!(sound.violations.is_empty(), "{scenario}: {}", sound.violations[0]);
    let outcome = Run::of(house(), &scenario).altered(Arc::new(broken)).go().unwrap();
    let found: Vec<_> = outcome.violations.iter().map(|violation| violation.invariant).collect();
    assert!(found.contains(&invariant), "{scenario}: {found:?} {:#?}", outcome.timeline);
}

#[test]
fn every_invariant_has_a_canary() {
    let canaries = [include_str!("canaries/journals.rs"), include_str!("canaries/parts.rs")].concat();
    for invariant in Invariant::ALL {
        let found = format!(", Invariant::{invariant:?});");
        assert!(canaries.contains(&found), "nothing shows that `{invariant}` is found");
    }
}
