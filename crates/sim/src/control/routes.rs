//! What can be asked of the simulator.

use http::Method;

/// One thing that can be asked of the simulator.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) takes: &'static str,
    pub(super) does: &'static str,
    pub(super) action: Action,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Index,
    Accounts,
    Ledger,
    Events,
    Magic,
    Messages,
    Transfer,
    WalkIn,
    Reverse,
    Inject,
    ClearFaults,
    Advance,
    Idle,
    Reset,
}

/// Everything there is: the one table.
pub(super) const ROUTES: &[Route] = &[
    route(Method::GET, "/_sim/", "", "what there is", Action::Index),
    route(
        Method::GET,
        "/_sim/accounts",
        "",
        "the credentials each gateway lets in; no other answer has any, and these are made up",
        Action::Accounts,
    ),
    route(
        Method::GET,
        "/_sim/ledger",
        "?gateway=NAME&reference=TEXT, each optional",
        "the gateways' own books: payments, moves of money, balances, references paid more than once",
        Action::Ledger,
    ),
    route(
        Method::GET,
        "/_sim/events",
        "",
        "the log: every request with its refusal and faults, every callback with what came of it",
        Action::Events,
    ),
    route(Method::GET, "/_sim/magic", "", "the numbers that make things happen when paid", Action::Magic),
    route(
        Method::GET,
        "/_sim/messages",
        "",
        "what was sent to payers' phones, with the codes in it, which are good for as long as they say",
        Action::Messages,
    ),
    route(
        Method::POST,
        "/_sim/transfer",
        r#"{"narration": TEXT, "amount": TEXT}"#,
        "plays a payer who transfers so many shillings from a bank, with the narration that SasaPay asked for",
        Action::Transfer,
    ),
    route(
        Method::POST,
        "/_sim/walk_in",
        r#"{"account": TEXT, "number": TEXT, "amount": TEXT, "faults": as below, optional}"#,
        "plays a customer who pays the paybill at SasaPay: unasked, or with a TransactionReference for the account",
        Action::WalkIn,
    ),
    route(
        Method::POST,
        "/_sim/reverse",
        r#"{"reference": TEXT}"#,
        "plays KasaPay taking a paid payout back",
        Action::Reverse,
    ),
    route(
        Method::POST,
        "/_sim/faults",
        r#"{"gateway": NAME, "operation": NAME, "faults": [{"fault": NAME, "millis": NUMBER}]}"#,
        "lets the next such call meet these faults, all of them; each further one is for the call after that",
        Action::Inject,
    ),
    route(
        Method::DELETE,
        "/_sim/faults",
        "",
        "forgets the faults that no call has met yet",
        Action::ClearFaults,
    ),
    route(
        Method::POST,
        "/_sim/advance",
        r#"{"millis": NUMBER} or {"seconds": NUMBER}"#,
        "moves the simulator's clock forward: what falls due happens, tokens run out",
        Action::Advance,
    ),
    route(
        Method::GET,
        "/_sim/idle",
        "?millis=NUMBER, optional",
        "answers once nothing is going to happen by itself; after 30 s, or so many milliseconds, with 504",
        Action::Idle,
    ),
    route(
        Method::POST,
        "/_sim/reset",
        "",
        "takes everything back to the start; accounts and seed stay",
        Action::Reset,
    ),
];

const fn route(
    method: Method,
    path: &'static str,
    takes: &'static str,
    does: &'static str,
    action: Action,
) -> Route {
    Route { method, path, takes, does, action }
}
