//! What is posted in which order, and what must hold after it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use malipo::journal::{DeliveryId, EventId, Find, Journal as _, Payment, PaymentId, PaymentState};
use malipo::transport::Bytes;
use malipo::transport::http::{Method, Request, Response};
use malipo_sim::{Callback, Delivery, Gateway, PaymentState as Decided};
use serde_json::Value;

use super::GATEWAYS;
use super::fields::{Field, failed};
use super::outcome::{Forged, Paid};
use super::stage::{DECIDED_AFTER, Open, Role, Stage};
use super::strangers::{Given, KINDS};
use crate::dice::Dice;
use crate::postman::Answering;
use crate::unbuilt::Unbuilt;

/// In how many rounds all is posted, and how much time passes before each: by the last ones a person was called to every
/// payment that a claim was made about.
const ROUNDS: u64 = 16;
const PASSES: Duration = Duration::from_secs(61);
/// How many are posted side by side.
const AT_ONCE: usize = 64;
/// How many deliveries of one account the engine reads in a round of its own.
const READ_AT_ONCE: usize = 64;
/// How many violations of one kind are told.
const TOLD: usize = 5;
/// What Daraja has to be answered, byte for byte; how the others judge an answer is theirs to say.
const ACCEPTED: &str = r#"{"ResultCode":0,"ResultDesc":"Accepted"}"#;

/// One forgery to the right URL.
struct Forgery<'s> {
    about: &'s Callback,
    body: Bytes,
}

/// A trial that is under way.
pub(super) struct Trial {
    stage: Stage,
    bodies: Vec<Value>,
    dice: Dice,
    /// The last delivery that is kept, and how many there are of each gateway.
    kept: DeliveryId,
    kept_of: BTreeMap<Gateway, usize>,
    /// The last event that was looked at.
    heard: EventId,
    /// How every stranger is answered.
    refusal: Response<Bytes>,
    forged: Forged,
}

impl Trial {
    pub(super) fn new(stage: Stage, seed: u64) -> Result<Self, Unbuilt> {
        let bodies = stage.all.iter().map(|open| serde_json::from_slice(open.genuine.request().body()));
        let bodies = bodies.collect::<Result<_, _>>()?;
        let (kept, heard, refusal) = (DeliveryId(0), EventId(0), Response::new(Bytes::new()));
        let forged = Forged { payments: stage.all.len(), ..Forged::default() };
        let dice = Dice::seeded(seed);
        Ok(Self { stage, bodies, dice, kept, kept_of: BTreeMap::new(), heard, refusal, forged })
    }

    pub(super) async fn run(mut self, strangers: u64, insiders: u64) -> Result<Forged, Unbuilt> {
        self.hear().await?;
        self.refusal = self.refused().await?;
        self.show_that_bodies_decide().await?;
        let mut posted = [0, 0];
        for round in 1..=ROUNDS {
            self.pass(PASSES).await?;
            self.strangers(strangers * round / ROUNDS - posted[0]).await?;
            self.hold().await?;
            self.insiders(posted[1], insiders * round / ROUNDS).await?;
            self.hold().await?;
            posted = [strangers * round / ROUNDS, insiders * round / ROUNDS];
        }
        self.tell_the_truth().await?;
        Ok(self.forged)
    }

    fn complain(&mut self, what: String) {
        let kind = what.split(':').next().unwrap_or_default();
        if self.forged.violations.iter().filter(|known| known.starts_with(kind)).count() < TOLD {
            self.forged.violations.push(what);
        }
    }

    async fn post(&self, path: &str, about: &Callback, body: Bytes) -> Result<Response<Bytes>, Unbuilt> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = path.parse()?;
        *request.headers_mut() = about.request().headers().clone();
        let (answer, answered) = Answering::pair();
        self.stage.door.take(self.stage.receiver.clone(), request, answer).await;
        Ok(answered.await?)
    }

    /// The answer to what came to no URL of ours.
    async fn refused(&self) -> Result<Response<Bytes>, Unbuilt> {
        let open = self.stage.all.first().ok_or(Unbuilt::because("there are no payments"))?;
        self.post("/", &open.genuine, Bytes::new()).await
    }

    /// Without a good token: refused like everything else that is nothing to us, and not kept.
    async fn strangers(&mut self, count: u64) -> Result<(), Unbuilt> {
        for _ in 0..count {
            let (Some(kind), Some(open)) =
                (self.dice.one_of(KINDS), self.dice.clone().one_of(&self.stage.all))
            else {
                continue;
            };
            self.dice.roll();
            let path = open.genuine.request().uri().path();
            let given = Given::of(path, &self.stage.urls, &self.stage.retired);
            let forged = given.and_then(|given| (kind.forge)(&given, &mut self.dice));
            // None is left out, or the count would say more than was posted.
            let forged = forged.ok_or(Unbuilt::because("a forged URL could not be made"))?;
            if forged == path {
                return Err(Unbuilt::because("a forged URL is the right one"));
            }
            let answer = self.post(&forged, &open.genuine, open.genuine.request().body().clone()).await?;
            *self.forged.without_token.entry((open.gateway, kind.name)).or_default() += 1;
            let is_same = answer.status() == 404
                && answer.body().is_empty()
                && answer.headers() == self.refusal.headers();
            if !is_same {
                let (gateway, status) = (open.gateway, answer.status());
                self.complain(format!(
                    "TOLD: {gateway}, {}: answered {status}, not the one refusal",
                    kind.name
                ));
            }
        }
        while self.stage.books.delivery(DeliveryId(self.kept.0 + 1)).await?.is_some() {
            self.kept.0 += 1;
            self.forged.stored += 1;
            self.complain("STORED: something without a token is kept".to_owned());
        }
        self.read(2 * READ_AT_ONCE).await
    }

    /// With the token, from the one of this number to the one of that: answered as its gateway wants, kept, read.
    async fn insiders(&mut self, from: u64, to: u64) -> Result<(), Unbuilt> {
        let doubted: Vec<Vec<usize>> =
            GATEWAYS.iter().map(|gateway| self.of(*gateway, Role::Doubted)).collect();
        let each = u64::try_from(doubted.first().map_or(0, Vec::len))?.max(1);
        let mut number = from;
        while number < to {
            // Each payment is met once by each bunch.
            let bunch = number..to.min((number / (4 * each) + 1) * 4 * each);
            number = bunch.end;
            let mut forgeries = Vec::new();
            for number in bunch {
                let (turn, gateway) = (number / 4, GATEWAYS.get(usize::try_from(number % 4)?));
                let (Some(gateway), Some(doubted)) = (gateway, doubted.get(usize::try_from(number % 4)?))
                else {
                    continue;
                };
                let (at, fields) = (turn % each, Field::all_of(*gateway));
                let field = fields.get(usize::try_from((at + turn / each) % u64::try_from(fields.len())?)?);
                if let (Some(index), Some(field)) = (doubted.get(usize::try_from(at)?), field) {
                    forgeries.push((*index, *field, self.forge(*index, *field, number)?));
                }
            }
            self.enter(&forgeries).await?;
            let bodies = forgeries.into_iter().map(|(index, _, body)| (index, body)).collect();
            self.deliver(bodies).await?;
            self.read(READ_AT_ONCE * 2 + usize::try_from(each)?).await?;
        }
        Ok(())
    }

    fn forge(&mut self, index: usize, field: Field, number: u64) -> Result<Bytes, Unbuilt> {
        let gateway = self.stage.all.get(index).map(|open| open.gateway);
        let genuine = self.bodies.get(index);
        let theirs = self.of_gateway(gateway);
        let other = self.dice.one_of(&theirs).filter(|other| **other != index);
        let other = other.and_then(|other| self.bodies.get(*other)).or(genuine);
        let forged = match (gateway, genuine, other) {
            (Some(gateway), Some(genuine), Some(other)) => {
                field.forge(gateway, genuine, other, number, &mut self.dice)
            }
            _ => None,
        };
        let forged =
            forged.ok_or(Unbuilt::because("a field cannot be changed: the gateway does not tell it"))?;
        Ok(serde_json::to_vec(&forged)?.into())
    }

    /// Counts what each forgery finds.
    async fn enter(&mut self, forgeries: &[(usize, Field, Bytes)]) -> Result<(), Unbuilt> {
        for (index, field, _) in forgeries {
            let Some(open) = self.stage.all.get(*index) else { continue };
            let is_called = payment(&self.stage, open.id).await?.attention().is_some();
            let met = self.forged.with_token.entry((open.gateway, *field)).or_default();
            let count = if is_called { &mut met.in_review } else { &mut met.fresh };
            *count += 1;
        }
        Ok(())
    }

    /// Posts to the right URLs: each is answered as its gateway wants, and kept as it came.
    async fn deliver(&mut self, bodies: Vec<(usize, Bytes)>) -> Result<(), Unbuilt> {
        let forgeries: Vec<_> = bodies
            .into_iter()
            .filter_map(|(index, body)| Some(Forgery { about: &self.stage.all.get(index)?.genuine, body }))
            .collect();
        let answers: Vec<_> = stream::iter(&forgeries)
            .map(|Forgery { about, body }| self.post(about.request().uri().path(), about, body.clone()))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut wrong = Vec::new();
        let mut posted: BTreeMap<Bytes, Gateway> = BTreeMap::new();
        for (Forgery { about, body }, answer) in forgeries.into_iter().zip(answers) {
            let (gateway, answer) = (about.gateway(), answer?);
            if !is_wanted(about, &answer) {
                wrong.push(format!("ANSWERED: {gateway} got {} and not what it wants", answer.status()));
            }
            posted.insert(body, gateway);
        }
        while let Some(kept) = self.stage.books.delivery(DeliveryId(self.kept.0 + 1)).await? {
            self.kept.0 += 1;
            let body = kept.delivery()?.map(|delivery| Bytes::copy_from_slice(delivery.body.bytes()));
            match body.and_then(|body| posted.remove(&body)) {
                Some(gateway) => *self.kept_of.entry(gateway).or_default() += 1,
                None => wrong.push(format!("KEPT: delivery {} is nothing that was posted", kept.id)),
            }
        }
        wrong.extend(
            posted.into_values().map(|gateway| format!("FORGOTTEN: what {gateway} posted is not kept")),
        );
        wrong.into_iter().for_each(|what| self.complain(what));
        Ok(())
    }

    /// Has the engine read so many deliveries of each account.
    async fn read(&mut self, deliveries: usize) -> Result<(), Unbuilt> {
        for _ in 0..=deliveries / READ_AT_ONCE {
            self.stage.payments.tick().await?;
        }
        Ok(())
    }

    /// Lets time pass, and what waits be read again.
    async fn pass(&mut self, time: Duration) -> Result<(), Unbuilt> {
        let clock = &self.stage.clock;
        clock.go_to(malipo::Env::monotonic(clock).saturating_add(time));
        let most = self.kept_of.values().max().copied().unwrap_or_default();
        self.read(most + 2 * READ_AT_ONCE).await
    }

    /// Nothing has settled: neither by the events, nor by how the payments stand, nor at the gateways.
    async fn hold(&mut self) -> Result<(), Unbuilt> {
        let mut settled: Vec<PaymentId> = self.hear().await?;
        for open in self.stage.all.iter() {
            if payment(&self.stage, open.id).await?.state().is_final() {
                settled.push(open.id);
            }
        }
        let shown: Vec<_> =
            [Role::Fails, Role::Succeeds].into_iter().flat_map(|role| self.with(role)).collect();
        settled.retain(|id| !shown.contains(id));
        settled.sort_unstable();
        settled.dedup();
        self.forged.settled = self.forged.settled.max(settled.len());
        for id in settled {
            let now = payment(&self.stage, id).await?;
            self.complain(format!(
                "SETTLED: payment {id} of {} is {} by a forgery",
                now.provider,
                now.state()
            ));
        }
        let ledger = self.stage.gateways.ledger();
        let undecided = ledger.payments().iter().all(|one| one.state == Decided::Accepted);
        if !undecided || !ledger.moves().is_empty() {
            self.complain("MOVED: the gateways decided something".to_owned());
        }
        Ok(())
    }

    /// The payments that ended since it was last asked.
    async fn hear(&mut self) -> Result<Vec<PaymentId>, Unbuilt> {
        let mut ended = Vec::new();
        loop {
            let page = self.stage.books.events(self.heard, 1000).await?;
            let Some(last) = page.last() else { return Ok(ended) };
            self.heard = last.id;
            ended.extend(page.iter().filter(|event| event.outcome().is_some()).map(|event| event.payment));
        }
    }

    /// What is forged is forged from bodies that would have ended a payment as they are: at gateways that are not asked
    /// first, they do.
    async fn show_that_bodies_decide(&mut self) -> Result<(), Unbuilt> {
        for (role, end) in [(Role::Fails, PaymentState::Failed), (Role::Succeeds, PaymentState::Paid)] {
            for gateway in GATEWAYS {
                let Some(index) = self.of(gateway, role).first().copied() else { continue };
                let (Some(open), Some(body)) = (self.stage.all.get(index), self.bodies.get(index)) else {
                    continue;
                };
                let id = open.id;
                let body =
                    if role == Role::Fails { failed(gateway, body.clone()) } else { Some(body.clone()) };
                let body = body.ok_or(Unbuilt::because("a gateway does not tell failures so"))?;
                self.deliver(vec![(index, serde_json::to_vec(&body)?.into())]).await?;
                self.read(READ_AT_ONCE).await?;
                let ended = payment(&self.stage, id).await?.state();
                let is_asked_first = matches!(gateway, Gateway::KasaPay | Gateway::Kyanda);
                if (ended == end) == is_asked_first || (is_asked_first && ended.is_final()) {
                    self.complain(format!("HARMLESS: what {gateway} posts left its payment {ended}"));
                }
            }
        }
        self.hear().await.map(drop)
    }

    /// The gateways decide, and post what they posted all along: whoever saw nothing but URLs that were wrong is paid.
    async fn tell_the_truth(&mut self) -> Result<(), Unbuilt> {
        self.stage.clock.go_to(DECIDED_AFTER.saturating_add(PASSES));
        let mut told = Vec::new();
        loop {
            let due = self.stage.gateways.take_due();
            if due.is_empty() {
                break;
            }
            told.extend(due);
        }
        for callback in &told {
            let request = callback.request();
            let answer = self.post(request.uri().path(), callback, request.body().clone()).await?;
            if !is_wanted(callback, &answer) {
                self.complain(format!(
                    "ANSWERED: {} got {} for the truth",
                    callback.gateway(),
                    answer.status()
                ));
            }
        }
        for _ in 0..3 {
            self.pass(PASSES).await?;
        }
        for (role, must) in [(Role::Untouched, true), (Role::Doubted, false)] {
            let mut ends = Paid::default();
            for id in self.with(role) {
                let now = payment(&self.stage, id).await?;
                let is_paid = now.state() == PaymentState::Paid;
                ends.of += 1;
                ends.paid += usize::from(is_paid);
                // What was forged may have called a person; it cannot have ended anything.
                if !is_paid && (must || now.state() != PaymentState::Review || now.attention().is_none()) {
                    self.complain(format!("NOT PAID: payment {id} of {} is {}", now.provider, now.state()));
                }
            }
            match role {
                Role::Untouched => self.forged.untouched = ends,
                _ => self.forged.doubted = ends,
            }
        }
        Ok(())
    }

    /// The payments of a gateway in a role.
    fn of(&self, gateway: Gateway, which: Role) -> Vec<usize> {
        let all = self.of_gateway(Some(gateway)).into_iter().enumerate();
        all.filter(|(number, _)| Role::of(*number) == which).map(|(_, index)| index).collect()
    }

    fn of_gateway(&self, gateway: Option<Gateway>) -> Vec<usize> {
        let all = self.stage.all.iter().enumerate();
        all.filter(|(_, open)| Some(open.gateway) == gateway).map(|(index, _)| index).collect()
    }

    /// The payments in a role, at whichever gateway.
    fn with(&self, role: Role) -> Vec<PaymentId> {
        let all = GATEWAYS.into_iter().flat_map(|gateway| self.of(gateway, role));
        all.filter_map(|index| self.stage.all.get(index)).map(|Open { id, .. }| *id).collect()
    }
}

async fn payment(stage: &Stage, id: PaymentId) -> Result<Payment, Unbuilt> {
    stage.books.find(&Find::Id(id)).await?.ok_or(Unbuilt::because("a payment is not in the books"))
}

/// Whether the gateway takes this for an acknowledgement.
fn is_wanted(about: &Callback, answer: &Response<Bytes>) -> bool {
    let status = answer.status().as_u16();
    let is_exact = about.gateway() != Gateway::Daraja || answer.body() == ACCEPTED.as_bytes();
    status == 200 && is_exact && matches!(about.answered(status, answer.body()), Delivery::Answered(_))
}
