//! Real processes on real sockets, killed with SIGKILL: a small run of what `cargo xtask soak` does at length.

use std::process::Command;

/// `soak` judges itself: it fails where the ledger and the books differ. What is asked here is that it did anything.
#[test]
fn workers_that_are_killed_pay_nobody_twice_and_lose_nothing() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    let ran =
        soak.args(["run", "--store", "sqlite", "--workers", "2", "--kills", "8", "--seed", "4"]).output();
    let ran = ran.unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}{complaint}");
    let shown = ["kills 8: ", "paid twice: 0  lost: 0  stuck: 0  unexplained: 0", "ledger and books agree"];
    for shown in shown {
        assert!(told.contains(shown), "{shown}: {told}");
    }
}
