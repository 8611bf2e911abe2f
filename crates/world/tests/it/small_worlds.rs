//! Every small world of every gateway, untouched and with every death.

use std::time::Duration;

use malipo_sim::Gateway;
use malipo_world::{Death, Place, Scenario, Tally};

use crate::{house, scenario};

fn every_death(gateway: Gateway) -> Tally {
    let mut tally = Tally::default();
    for scenario in Scenario::all(gateway) {
        tally.exhaust(house(), &scenario).unwrap_or_else(|why| panic!("{why}"));
        if let Some(failed) = &tally.failed {
            panic!("{failed}");
        }
    }
    // And whoever takes its place after a lost reply dies as well, anywhere while it clears up.
    for place in [Place::AfterCommit, Place::AfterSend] {
        let first = Death::at(place, 1, Duration::from_secs(1));
        tally
            .exhaust_after(house(), &scenario(gateway, "lost reply"), first)
            .unwrap_or_else(|why| panic!("{why}"));
        if let Some(failed) = &tally.failed {
            panic!("{failed}");
        }
    }
    for place in Place::all() {
        assert!(tally.deaths.contains_key(&place), "nobody died at {place}");
    }
    tally
}

#[test]
fn daraja_pays_once_whoever_dies_and_whatever_is_lost() {
    println!("{}", every_death(Gateway::Daraja));
}

#[test]
fn kasapay_pays_once_whoever_dies_and_whatever_is_lost() {
    println!("{}", every_death(Gateway::KasaPay));
}

#[test]
fn sasapay_collects_once_whoever_dies_and_whatever_is_lost() {
    println!("{}", every_death(Gateway::SasaPay));
}

#[test]
fn kyanda_pays_once_whoever_dies_and_whatever_is_lost() {
    println!("{}", every_death(Gateway::Kyanda));
}
