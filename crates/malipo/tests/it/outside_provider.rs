//! A provider for Tembo, a gateway that does not exist, written as a stranger would write it: with nothing but what
//! the facade makes public.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};
use malipo::transport::{
    AppKeys, BaseUrl, BearerToken, Call, Gateway, Line, Path, Response, Token, TokenDialect, Transport,
    secret_header,
};
use malipo::{
    Ability, Answer, Balance, BalanceReport, Balances, CallbackError, CallbackUse, Callbacks, Capabilities,
    Delivery, Effect, Env, Error, ErrorKind, Instruction, Lookup, Money, Network, Operation, PartyKind,
    PayOut, PayeeAccount, Provider, ProviderId, Read, Reply, Report, Resubmit, Result, Scalar, Secret, State,
    Storage, Ticket, Trust, async_trait, read_object,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// An account at Tembo.
#[derive(Debug)]
pub(crate) struct Tembo {
    id: ProviderId,
    capabilities: Capabilities,
    gateway: Gateway,
}

impl Tembo {
    pub(crate) fn new(
        keys: &AppKeys,
        base: BaseUrl,
        transport: Arc<dyn Transport>,
        env: Arc<dyn Env>,
    ) -> Self {
        let id = ProviderId::of("tembo");
        let tokens = Tokens { credentials: keys.basic() };
        let gateway = Gateway::new(Line::new(id.clone(), base, transport, env), BearerToken::new(tokens));
        Self { id, capabilities: capabilities(), gateway }
    }
}

fn capabilities() -> Capabilities {
    let shillings = |text: &str| Money::kes(text).unwrap();
    let parties = vec![PartyKind::Wallet(Network::Safaricom), PartyKind::Wallet(Network::Airtel)];
    let pay_out =
        Ability::new(Operation::PayOut, parties, shillings("10"), shillings("150000"), shillings("1"))
            .with_detail_keys(&["branch"])
            .with_callback(CallbackUse::Result);
    Capabilities::new("tembo", Resubmit::RefusedAsDuplicate, Lookup::ByReference)
        .with(pay_out)
        .with_refused_callback_words(&["tembo"])
}

#[async_trait]
impl Provider for Tembo {
    fn id(&self) -> &ProviderId {
        &self.id
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn submit(&self, instruction: &Instruction) -> Result<Report> {
        let named = |error: Error| error.with_provider(&self.id).with_reference(instruction.reference());
        self.capabilities.admit(instruction, None).map_err(named)?;
        let call = payment(instruction).map_err(named)?;
        accepted(&self.id, instruction, &self.gateway.call(call).await?).map_err(named)
    }

    async fn status(&self, ticket: &Ticket) -> Result<Answer> {
        let path = Path::new("/v1/payouts").segment(ticket.reference.as_str());
        let call = Call::get(Operation::Status, path).with_reference(&ticket.reference);
        let named = |error: Error| error.with_provider(&self.id).with_reference(&ticket.reference);
        answered(&self.id, &self.gateway.call(call).await?).map_err(named)
    }
}

#[async_trait]
impl Balances for Tembo {
    async fn balances(&self) -> Result<BalanceReport> {
        let call = Call::get(Operation::Balances, Path::new("/v1/balance"));
        counted(&self.id, &self.gateway.call(call).await?).map_err(|error| error.with_provider(&self.id))
    }
}

/// Reads what Tembo posts. It signs nothing.
#[derive(Debug)]
pub(crate) struct TemboCallbacks;

impl Callbacks for TemboCallbacks {
    fn read(&self, delivery: &Delivery) -> std::result::Result<Read, CallbackError> {
        let told: Told = read_object(delivery.body.bytes())
            .map_err(|_| CallbackError::Unreadable("not a payout of Tembo"))?;
        let mut report = told.report(&ProviderId::of("tembo"), delivery.trust());
        report.raw = delivery.body.clone();
        Ok(Read::Report(report))
    }

    fn reply(&self, storage: Storage) -> Reply {
        match storage {
            Storage::Stored => Reply::json(200, r#"{"ok":true}"#),
            Storage::NotStored => Reply::json(503, r#"{"ok":false}"#),
        }
    }

    fn secrets(&self) -> Vec<Secret> {
        Vec::new()
    }
}

#[derive(Debug)]
struct Tokens {
    credentials: Secret,
}

impl TokenDialect for Tokens {
    fn request(&self) -> Result<Call> {
        Ok(Call::get(Operation::Authorize, Path::new("/oauth/token"))
            .with_header(header::AUTHORIZATION, secret_header("Basic ", &self.credentials)?)
            .with_secret(self.credentials.clone()))
    }

    fn read(&self, response: &Response) -> Result<Token> {
        #[derive(Deserialize)]
        struct Given {
            token: String,
        }
        match read_object::<Given>(&response.body) {
            Ok(given) if response.is_success() => Ok(Token::new(Secret::new(given.token), None)),
            _ => Err(failed(ErrorKind::Credentials, Operation::Authorize, response, "no token was given")),
        }
    }

    fn attach(&self, token: &Secret) -> Result<(HeaderName, HeaderValue)> {
        Ok((header::AUTHORIZATION, secret_header("Bearer ", token)?))
    }

    fn rejected(&self, _: Operation, response: &Response) -> bool {
        response.status == 401 && refusal(response).is_some_and(|refusal| refusal.code == "TOKEN")
    }
}

#[derive(Serialize)]
struct Payment<'a> {
    reference: &'a str,
    msisdn: String,
    amount: String,
    note: Option<&'a str>,
    branch: Option<&'a str>,
    callback: Option<&'a str>,
}

fn payment(instruction: &Instruction) -> Result<Call> {
    let operation = instruction.operation();
    let Instruction::PayOut(PayOut { to, terms, .. }) = instruction else {
        return Err(Error::new(ErrorKind::Unsupported, operation.not_started(), operation, "only pays out"));
    };
    let PayeeAccount::Wallet { msisdn, .. } = &to.account else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            operation.not_started(),
            operation,
            "only to wallets",
        ));
    };
    let body = Payment {
        reference: terms.reference.as_str(),
        msisdn: msisdn.international(),
        amount: terms.amount.to_plain(),
        note: terms.description.as_deref(),
        branch: terms.details.find("branch"),
        callback: terms.callback.as_ref().map(|callback| callback.result.as_str()),
    };
    Ok(Call::post(operation, Path::new("/v1/payouts"), &body)?.with_reference(&terms.reference))
}

fn accepted(provider: &ProviderId, instruction: &Instruction, response: &Response) -> Result<Report> {
    let operation = instruction.operation();
    if response.status == 202
        && let Ok(Accepted { accepted, code: None }) = read_object(&response.body)
    {
        let mut report = Report::new(provider.clone(), State::Pending, Trust::Answered);
        report.operation = Some(operation);
        report.reference = Some(instruction.reference().clone());
        report.provider_refs = report.provider_refs.with("payout", Some(&accepted));
        report.raw = response.body.clone().into();
        return Ok(report);
    }
    let Some(refusal) = refusal(response) else {
        return Err(failed(ErrorKind::Unreadable, operation, response, "the answer cannot be read"));
    };
    let (kind, effect) = match (response.status, refusal.code.as_str()) {
        (400, "BAD_NUMBER") | (402, "NO_FUNDS") => (ErrorKind::Refused, operation.not_started()),
        (401, "TOKEN") => (ErrorKind::Credentials, operation.not_started()),
        (409, "SEEN") => (ErrorKind::Duplicate, operation.uncertain()),
        _ => (ErrorKind::Unlisted, operation.uncertain()),
    };
    Err(failure(kind, effect, operation, response, "the gateway refused the payout")
        .with_code(Some(&refusal.code))
        .with_text(refusal.message.as_deref()))
}

/// An acceptance has no code: with one it says two things at once.
#[derive(Deserialize)]
struct Accepted {
    accepted: String,
    code: Option<String>,
}

fn counted(provider: &ProviderId, response: &Response) -> Result<BalanceReport> {
    #[derive(Deserialize)]
    struct Held {
        held: Scalar,
    }
    let held = read_object::<Held>(&response.body).ok().filter(|_| response.is_success());
    match held.and_then(|held| Money::kes(held.held.as_str()).ok()) {
        Some(held) => {
            let (balances, raw) = (vec![Balance::new("main", held)], response.body.clone().into());
            Ok(BalanceReport::new(provider.clone(), balances, Trust::Answered, raw))
        }
        None => {
            Err(failed(ErrorKind::Unreadable, Operation::Balances, response, "the answer cannot be read"))
        }
    }
}

fn answered(provider: &ProviderId, response: &Response) -> Result<Answer> {
    if response.status == 404 && refusal(response).is_some_and(|refusal| refusal.code == "NO_SUCH") {
        return Ok(Answer::NoSuchReference);
    }
    match read_object::<Told>(&response.body) {
        Ok(told) if response.is_success() => {
            let mut report = told.report(provider, Trust::Answered);
            report.raw = response.body.clone().into();
            Ok(Answer::Known(report))
        }
        _ => Err(failed(ErrorKind::Unreadable, Operation::Status, response, "the answer cannot be read")),
    }
}

/// What Tembo tells of a payout, asked or not.
#[derive(Deserialize)]
struct Told {
    reference: String,
    state: String,
    amount: Scalar,
    receipt: Option<String>,
}

impl Told {
    fn report(&self, provider: &ProviderId, trust: Trust) -> Report {
        let state = match self.state.as_str() {
            "PAID" => State::Settled,
            "FAILED" => State::Failed,
            "RETURNED" => State::Reversed,
            _ => State::Pending,
        };
        let mut report = Report::new(provider.clone(), state, trust);
        report.reference = self.reference.parse().ok();
        report.amount = Money::kes(self.amount.as_str()).ok();
        report.receipt.clone_from(&self.receipt);
        report.code = Some(malipo::Told::code(&self.state));
        report
    }
}

/// A refusal accepts nothing: with something accepted it says two things at once.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: Option<String>,
    accepted: Option<IgnoredAny>,
}

fn refusal(response: &Response) -> Option<Refusal> {
    let refusal: Refusal = read_object(&response.body).ok()?;
    ((400..500).contains(&response.status) && refusal.accepted.is_none()).then_some(refusal)
}

fn failed(kind: ErrorKind, operation: Operation, response: &Response, message: &str) -> Error {
    failure(kind, operation.uncertain(), operation, response, message)
}

fn failure(
    kind: ErrorKind,
    effect: Effect,
    operation: Operation,
    response: &Response,
    message: &str,
) -> Error {
    Error::new(kind, effect, operation, message).with_status(response.status)
}
