//! The same seed is the same world, down to the last line of its trace.

use std::time::Duration;

use malipo_sim::Gateway;
use malipo_world::{Death, Place, Run, Scenario};

use crate::{house, scenario};

const GATEWAYS: [Gateway; 4] = [Gateway::Daraja, Gateway::KasaPay, Gateway::SasaPay, Gateway::Kyanda];

#[test]
fn the_same_seed_is_the_same_trace() {
    for gateway in GATEWAYS {
        for scenario in Scenario::all(gateway).iter().filter(|scenario| scenario.processes == 2) {
            let death = Death::at(Place::AfterCommit, 2, Duration::from_secs(1));
            let run = |seed| Run::of(house(), scenario).with_seed(seed).with_death(death).go().unwrap();
            let (first, second) = (run(7), run(7));
            assert_eq!((first.deaths, first.violations.len()), (1, 0), "{scenario}");
            assert_eq!((&first.hash, &first.timeline), (&second.hash, &second.timeline), "{scenario}");
            assert_ne!(first.hash, run(8).hash, "{scenario}: chance is in it");
        }
    }
}

#[test]
fn a_calm_world_sends_once_and_calls_nobody() {
    for gateway in GATEWAYS {
        let outcome = Run::of(house(), &scenario(gateway, "two payments")).go().unwrap();
        assert_eq!((outcome.attempts, outcome.deaths), (2, 0), "{gateway:?}");
        assert!(outcome.violations.is_empty(), "{gateway:?}: {}", outcome.violations[0]);
    }
}
