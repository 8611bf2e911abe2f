//! Every operation that the four gateways document, a row each, and the test that shows it.

use std::collections::BTreeMap;

use crate::workspace::{Workspace, not_started};

/// One documented operation.
#[derive(Debug)]
struct Row {
    gateway: &'static str,
    operation: &'static str,
    /// Its test, below `rows` in the facade's tests.
    test: &'static str,
}

const fn row(gateway: &'static str, operation: &'static str, test: &'static str) -> Row {
    Row { gateway, operation, test }
}

/// The rows, numbered from 1.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row("KasaPay", "obtain a token", "kasapay::row_01_token"),
    row("KasaPay", "pay out to a paybill", "kasapay::row_02_payout_to_paybill"),
    row("KasaPay", "pay out to a till", "kasapay::row_03_payout_to_till"),
    row("KasaPay", "pay out to a bank account", "kasapay::row_04_payout_to_bank"),
    row("KasaPay", "status by payout reference", "kasapay::row_05_status"),
    row("KasaPay", "receive the callback", "kasapay::row_06_callback"),
    row("KasaPay", "status codes, response codes, auth error envelope", "kasapay::row_07_codes"),
    row("Daraja", "B2C: salary", "daraja::row_08_salary"),
    row("Daraja", "B2C: business", "daraja::row_09_business"),
    row("Daraja", "B2C: promotion", "daraja::row_10_promotion"),
    row("Daraja", "SecurityCredential from password and certificate", "daraja::row_11_security_credential"),
    row("Daraja", "acknowledgement and error body", "daraja::row_12_acknowledgement_and_errors"),
    row("Daraja", "result callback: success", "daraja::row_13_result_success"),
    row("Daraja", "result callback: failure", "daraja::row_14_result_failure"),
    row("Daraja", "queue timeout notification", "daraja::row_15_queue_timeout"),
    row("SasaPay", "request payment: SasaPay wallet", "sasapay::row_16_wallet"),
    row("SasaPay", "process payment with the code", "sasapay::row_17_process_payment"),
    row("SasaPay", "request payment: M-PESA", "sasapay::row_18_mpesa"),
    row("SasaPay", "request payment: Airtel Money", "sasapay::row_19_airtel"),
    row("SasaPay", "request payment: T-Kash", "sasapay::row_20_tkash"),
    row("SasaPay", "request payment: bank", "sasapay::row_21_bank"),
    row("SasaPay", "C2B callback", "sasapay::row_22_callback"),
    row("SasaPay", "IPN", "sasapay::row_23_ipn"),
    row("Kyanda", "account balance", "kyanda::row_24_balance"),
    row("Kyanda", "transaction check", "kyanda::row_25_transaction_check"),
    row("Kyanda", "mobile payout", "kyanda::row_26_mobile_payout"),
    row("Kyanda", "bank payout", "kyanda::row_27_bank_payout"),
    row("Kyanda", "mobile checkout with metadata", "kyanda::row_28_checkout"),
    row("Kyanda", "airtime", "kyanda::row_29_airtime"),
    row("Kyanda", "Faiba bundles", "kyanda::row_30_faiba_bundles"),
    row("Kyanda", "bill: Kenya Power", "kyanda::row_31_bill_power"),
    row("Kyanda", "bill: TV", "kyanda::row_32_bill_tv"),
    row("Kyanda", "bill: water", "kyanda::row_33_bill_water"),
    row("Kyanda", "voucher", "kyanda::row_34_voucher"),
    row("Kyanda", "register the callback URL", "kyanda::row_35_register_callback"),
    row("Kyanda", "receive the IPN and answer it", "kyanda::row_36_ipn"),
    row("Kyanda", "signatures, nine orders", "kyanda::row_37_signatures"),
    row("Kyanda", "code tables", "kyanda::row_38_codes"),
];

/// Runs the test of every row and prints what became of it.
///
/// # Errors
///
/// When a row has no test, its test was not run or did not pass, or a test has no row.
pub(crate) fn run(workspace: &Workspace) -> Result<(), String> {
    let mut command = workspace.cargo(&[
        "test",
        "--package",
        "malipo",
        "--all-features",
        "--locked",
        "--test",
        "it",
        "--",
        "rows::",
    ]);
    let output = command.output().map_err(|error| not_started(&command, &error))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let results = results(&printed);
    if results.is_empty() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("no row's test was run\n{printed}{complaint}"));
    }
    let (lines, passed) = table(&results);
    lines.iter().for_each(|line| println!("{line}"));
    let strangers = strangers(&results);
    if !strangers.is_empty() {
        return Err(format!("no row names these tests: {}", strangers.join(", ")));
    }
    println!("{passed} of {}", ROWS.len());
    if passed == ROWS.len() && output.status.success() {
        Ok(())
    } else {
        Err(format!("{} row(s) are not shown\n{printed}", ROWS.len() - passed))
    }
}

/// What the test runner said of each test below `rows`.
fn results(printed: &str) -> BTreeMap<&str, &str> {
    printed.lines().filter_map(|line| line.strip_prefix("test rows::")?.split_once(" ... ")).collect()
}

/// A line for each row, and how many of them passed.
fn table(results: &BTreeMap<&str, &str>) -> (Vec<String>, usize) {
    let line = |(index, Row { gateway, operation, test }): (usize, &Row)| {
        let result = results.get(test).copied().unwrap_or("MISSING");
        (format!("{:>2} {gateway:<8} {operation:<50} rows::{test:<40} {result}", index + 1), result == "ok")
    };
    let lines: Vec<_> = ROWS.iter().enumerate().map(line).collect();
    let passed = lines.iter().filter(|(_, passed)| *passed).count();
    (lines.into_iter().map(|(line, _)| line).collect(), passed)
}

/// Tests of rows that there are not.
fn strangers<'a>(results: &BTreeMap<&'a str, &str>) -> Vec<&'a str> {
    results.keys().copied().filter(|name| ROWS.iter().all(|row| row.test != *name)).collect()
}

#[cfg(test)]
mod tests {
    use super::{ROWS, results, strangers, table};

    #[test]
    fn a_row_that_failed_or_did_not_run_does_not_count() {
        let printed = "\nrunning 4 tests\ntest rows::kasapay::row_01_token ... ok\n\
            test rows::kasapay::row_02_payout_to_paybill ... FAILED\n\
            test rows::kasapay::row_03_payout_to_till ... ignored\n\
            test rows::kasapay::row_99_nothing ... ok\ntest other::a ... ok\n\ntest result: FAILED.\n";
        let results = results(printed);
        let (lines, passed) = table(&results);
        assert_eq!((passed, lines.len()), (1, ROWS.len()));
        for (index, ending) in ["ok", "FAILED", "ignored", "MISSING"].iter().enumerate() {
            assert!(lines[index].ends_with(ending), "{}", lines[index]);
        }
        assert_eq!(strangers(&results), ["kasapay::row_99_nothing"]);
    }

    #[test]
    fn every_row_is_numbered_as_its_test() {
        for (index, row) in ROWS.iter().enumerate() {
            let number = format!("{}::row_{:02}_", row.gateway.to_lowercase(), index + 1);
            assert!(row.test.starts_with(&number), "{} is row {}", row.test, index + 1);
        }
        assert_eq!(ROWS.len(), 38);
    }
}
