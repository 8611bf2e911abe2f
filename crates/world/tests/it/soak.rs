//! Real processes on real sockets, killed with SIGKILL: a small run of what `cargo xtask soak` does at length.

use std::process::Command;

/// `soak` judges itself, and fails where the ledger and the books differ. Its figures are read here all the same: a run
/// in which nothing was ordered, killed or paid would differ in nothing.
#[test]
fn workers_that_are_killed_pay_nobody_twice_and_lose_nothing() {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_soak"));
    let ran =
        soak.args(["run", "--store", "sqlite", "--workers", "2", "--kills", "8", "--seed", "4"]).output();
    let ran = ran.unwrap();
    let told = String::from_utf8(ran.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{told}{complaint}");
    for gateway in ["daraja", "kasapay", "sasapay", "kyanda"] {
        let figure = |name| of_gateway(&told, gateway, name);
        assert!(figure("orders") >= 20 && figure("paid") > 0, "{gateway}: {told}");
        assert_eq!(
            figure("orders"),
            figure("paid") + figure("failed") + figure("review"),
            "{gateway}: {told}"
        );
        assert!(figure("moved") >= figure("paid"), "{gateway}: {told}");
        assert!(figure("sent") > 0 && figure("attempts") >= figure("sent"), "{gateway}: {told}");
    }
    assert_eq!(after(&told, "kills "), 8, "{told}");
    assert!(after(&told, "deliveries ") > 0, "{told}");
    for name in ["paid twice: ", "lost: ", "stuck: ", "unexplained: "] {
        assert_eq!(after(&told, name), 0, "{name}: {told}");
    }
    assert!(told.trim_end().ends_with("ledger and books agree"), "{told}");
}

/// A figure of the table, which has names of columns over ten places each.
fn of_gateway(told: &str, gateway: &str, name: &str) -> usize {
    let heading = told.lines().find(|line| line.trim_start().starts_with("orders")).unwrap();
    let row = told.lines().find(|line| line.starts_with(gateway)).unwrap();
    let end = heading.find(name).unwrap() + name.len();
    row[end - 10..end].trim().parse().unwrap()
}

/// The number that follows these words, the last time they are there: the heading has some of them, too.
fn after(told: &str, words: &str) -> usize {
    let (_, rest) = told.rsplit_once(words).unwrap();
    rest.split(|letter: char| !letter.is_ascii_digit()).next().unwrap().parse().unwrap()
}
