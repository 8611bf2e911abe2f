//! Faults are taken only where a call can meet them.

use malipo_sim::{Fault, Gateway, NeverStrikes, Operation, Sim};
use serde_json::json;

use crate::client::options;
use crate::control::{FAULTS, done, refused};
use crate::in_process::world;

#[tokio::test]
async fn a_fault_that_no_call_could_meet_is_refused_by_name() {
    let sim = Sim::start(options()).await.unwrap();
    for (gateway, operation, fault, field, rule) in [
        ("kasapay", "balance", "lost_reply", "operation", "kasapay has token, pay_out, status"),
        ("daraja", "voucher", "lost_reply", "operation", "daraja has token, pay_out, status, balance"),
        ("kyanda", "token", "lost_reply", "operation", "kyanda has balance, status, pay_out, collect, "),
        ("kyanda", "verify", "lost_reply", "operation", "airtime, bill, voucher, register_callback"),
        ("sasapay", "pay_out", "lost_reply", "operation", "sasapay has token, collect, confirm, status, "),
        (
            "kyanda",
            "balance",
            "callback_twice",
            "faults[1].fault",
            "callback_twice can never strike: no callback",
        ),
        ("kasapay", "status", "callback_never", "faults[1].fault", "no callback comes of such a call"),
        ("sasapay", "verify", "callback_early", "faults[1].fault", "no callback comes of such a call"),
        ("daraja", "token", "queue_timeout", "faults[1].fault", "no callback comes of such a call"),
        (
            "daraja",
            "token",
            "token_expired",
            "faults[1].fault",
            "token_expired can never strike: such a call",
        ),
        ("kasapay", "token", "echoed_token", "faults[1].fault", "shows no token"),
    ] {
        let faults = json!([{ "fault": "html_page" }, { "fault": fault }]);
        let asked = json!({ "gateway": gateway, "operation": operation, "faults": faults });
        refused(&sim, "POST", FAULTS, &asked.to_string(), (field, rule)).await;
    }
    let asked = json!({ "gateway": "kasapay", "operation": "balance", "faults": [] });
    refused(&sim, "POST", FAULTS, &asked.to_string(), ("operation", "kasapay has token")).await;
    assert_eq!(sim.clear_faults(), 0, "nothing was arranged");
    for (gateway, operation) in [("daraja", "balance"), ("sasapay", "status"), ("kyanda", "voucher")] {
        let faults = json!([{ "fault": "callback_twice" }, { "fault": "token_expired" }]);
        done(&sim, FAULTS, &json!({ "gateway": gateway, "operation": operation, "faults": faults })).await;
    }
}

#[test]
fn a_test_of_its_own_hears_of_it_too() {
    let (world, _) = world(options());
    let inject = |gateway, operation, fault| world.inject(gateway, operation, [fault]);
    assert_eq!(
        inject(Gateway::SasaPay, Operation::PayOut, Fault::LostReply),
        Err(NeverStrikes::Operation(Gateway::SasaPay))
    );
    assert_eq!(
        inject(Gateway::Kyanda, Operation::Balance, Fault::CallbackTwice),
        Err(NeverStrikes::Fault(Fault::CallbackTwice))
    );
    assert_eq!(world.clear_faults(), 0);
    for gateway in Gateway::ALL {
        for operation in gateway.operations() {
            assert_eq!(inject(*gateway, operation, Fault::LostReply), Ok(()), "{gateway} {operation}");
        }
    }
}
