use malipo_core::{Good, GoodKind, Money, ProviderRefs, Report, Secret, State, ToldParty};
use malipo_journal::{
    Attempt, ClaimDue, Decision, Done, Entry, EventKind, Find, News, Notes, Outcome, PaymentId, PaymentState,
    Reason, Refused, Resolve,
};

use crate::bench::{Bench, PROVIDER, begin, lease, open, report};

/// A report that led to this state from whichever.
#[derive(Debug)]
struct Led(PaymentState, News);

impl PartialEq<Led> for Done {
    fn eq(&self, led: &Led) -> bool {
        matches!(self, Self::Applied { state, news, .. } if (*state, *news) == (led.0, led.1))
    }
}

const fn applied(state: PaymentState, news: News) -> Led {
    Led(state, news)
}

pub(crate) async fn a_report_is_new_once(bench: &Bench) {
    let id = bench.unknown(open("A")).await;
    for (told, state) in [
        (State::Pending, PaymentState::Accepted),
        (State::Settled, PaymentState::Paid),
        (State::Reversed, PaymentState::Reversed),
    ] {
        assert_eq!(bench.tell(id, report("A", told)).await, applied(state, News::New));
        let history = bench.journal.history(id).await.unwrap();
        for older in [State::Pending, told] {
            assert_eq!(bench.tell(id, report("A", older)).await, applied(state, News::Repeat));
        }
        assert_eq!(bench.journal.history(id).await.unwrap(), history, "what is known is no event");
    }
    assert_eq!(bench.journal.reports(id).await.unwrap().len(), 3);
    let nobody = malipo_journal::Apply::new(
        PaymentId(99),
        malipo_journal::Source::Answer,
        report("A", State::Settled),
    );
    assert_eq!(bench.refused(Entry::Apply(Box::new(nobody))).await, Refused::NoSuchPayment);
}

pub(crate) async fn a_callback_can_be_faster_than_the_reply(bench: &Bench) {
    for (told, state) in [(State::Pending, PaymentState::Accepted), (State::Settled, PaymentState::Paid)] {
        for (end, outcome) in [
            ("taken", Outcome::Accepted(report(&format!("{}-taken", told.as_str()), State::Pending))),
            ("lost", Outcome::Unknown(Notes::default())),
        ] {
            let name = format!("{}-{end}", told.as_str());
            let (id, begun) = bench.sending(open(&name)).await;
            bench.tell(id, report(&name, told)).await;
            assert_eq!(bench.state(id).await, state);
            assert_eq!(bench.finish(id, begun, outcome).await, state);
            assert_eq!(bench.payment(id).await.attention(), None);
            assert!(bench.journal.attempts(id).await.unwrap()[0].end.is_some());
        }
    }
    // One that says that nothing began cannot be true as well.
    let (id, begun) = bench.sending(open("odd")).await;
    bench.tell(id, report("odd", State::Settled)).await;
    bench.finish(id, begun, Outcome::Refused(Notes::default())).await;
    let payment = bench.payment(id).await;
    assert_eq!(payment.state(), PaymentState::Paid);
    assert_eq!(payment.attention().unwrap().reason, Reason::Contradicted);
}

pub(crate) async fn a_contradiction_is_flagged_and_changes_nothing(bench: &Bench) {
    #[rustfmt::skip]
    let rows = [
        (State::Settled, State::Failed, PaymentState::Paid),
        (State::Failed, State::Settled, PaymentState::Failed),
        (State::Failed, State::Reversed, PaymentState::Failed),
        (State::Reversed, State::Failed, PaymentState::Reversed),
    ];
    for (first, second, stands) in rows {
        let name = format!("{}-{}", first.as_str(), second.as_str());
        let id = bench.accepted(&name).await;
        bench.tell(id, report(&name, first)).await;
        let over_at = bench.payment(id).await.over_at;
        bench.clock.forward(5);
        assert_eq!(bench.tell(id, report(&name, second)).await, applied(stands, News::New));
        let payment = bench.payment(id).await;
        assert_eq!(payment.attention().unwrap().reason, Reason::Contradicted);
        assert_eq!(payment.over_at, over_at);
    }
    let id = bench.standing("given-up", PaymentState::Cancelled).await;
    bench.tell(id, report("given-up", State::Settled)).await;
    let payment = bench.payment(id).await;
    assert_eq!(
        (payment.state(), payment.attention().unwrap().reason),
        (PaymentState::Cancelled, Reason::Contradicted)
    );
    // A late news of what came back is none.
    let id = bench.standing("back", PaymentState::Reversed).await;
    bench.tell(id, report("back", State::Settled)).await;
    assert_eq!(bench.payment(id).await.attention(), None);
}

pub(crate) async fn a_contradiction_that_is_told_again_and_again_is_one_event(bench: &Bench) {
    let id = bench.standing("A", PaymentState::Failed).await;
    bench.tell(id, report("A", State::Settled)).await;
    // Another one, which is only an event since the first attention stands.
    assert_eq!(bench.tell(id, report("A", State::Reversed)).await, applied(PaymentState::Failed, News::New));
    let events = bench.journal.history(id).await.unwrap().len();
    for _ in 0..3 {
        for told in [State::Settled, State::Reversed] {
            assert_eq!(bench.tell(id, report("A", told)).await, applied(PaymentState::Failed, News::Repeat));
        }
    }
    assert_eq!(bench.journal.history(id).await.unwrap().len(), events);
    assert_eq!(bench.payment(id).await.attention().unwrap().claimed.as_deref(), Some("settled"));
}

struct Change(&'static str, fn(&mut Report));

pub(crate) async fn what_does_not_agree_is_reviewed_and_not_believed(bench: &Bench) {
    let changes: [Change; 4] = [
        Change("amount", |report| report.amount = Some(Money::kes("150000").unwrap())),
        Change("amount", |report| report.amount = None),
        Change("party", |report| report.party = ToldParty::new(Some("254722000111"), None)),
        Change("reference", |report| report.reference = Some("other".parse().unwrap())),
    ];
    for (number, Change(field, change)) in changes.into_iter().enumerate() {
        let name = format!("{field}-{number}");
        let id = bench.unknown(open(&name)).await;
        let mut other = report(&name, State::Settled);
        change(&mut other);
        assert_eq!(bench.tell(id, other.clone()).await, applied(PaymentState::Review, News::New));
        assert_eq!(bench.tell(id, other).await, applied(PaymentState::Review, News::Repeat));
        let payment = bench.payment(id).await;
        let attention = payment.attention().unwrap();
        assert_eq!(attention.reason, Reason::Mismatched);
        assert!(attention.expected.as_deref().unwrap().starts_with(field));
        assert!(!format!("{attention:?}").contains("25472200"), "{attention:?}");
        assert_eq!((payment.receipt, payment.provider_refs.is_empty()), (None, true));
        // The right one is believed later, and a person still looks.
        bench.tell(id, report(&name, State::Settled)).await;
        let payment = bench.payment(id).await;
        assert_eq!(payment.state(), PaymentState::Paid);
        assert_eq!(payment.attention().unwrap().reason, Reason::Mismatched);
    }
    let kinds = bench.journal.history(PaymentId(1)).await.unwrap();
    assert!(kinds.iter().any(|event| event.kind == EventKind::Mismatched));
}

pub(crate) async fn facts_are_merged(bench: &Bench) {
    let id = bench.accepted("A").await;
    let mut more = report("A", State::Pending);
    more.provider_refs = ProviderRefs::new().with("transaction", Some("T1"));
    more.code = Some("703".to_owned());
    assert_eq!(bench.tell(id, more.clone()).await, applied(PaymentState::Accepted, News::New));
    assert_eq!(bench.tell(id, more.clone()).await, applied(PaymentState::Accepted, News::Repeat));
    more.code = Some("704".to_owned());
    assert_eq!(
        bench.tell(id, more).await,
        applied(PaymentState::Accepted, News::New),
        "another code is news"
    );
    bench.tell(id, report("A", State::Settled)).await;
    let payment = bench.payment(id).await;
    let refs: Vec<_> = payment.provider_refs.iter().map(|known| known.value.as_str()).collect();
    assert_eq!(refs, ["AG-A", "T1"]);
    assert_eq!((payment.receipt.as_deref(), payment.code.as_deref()), (Some("RC-A"), Some("704")));
    assert_eq!(payment.ticket().provider_refs, payment.provider_refs);
    // The receipt of what came back is another one, and a second receipt for the payment is a second payment.
    let mut second = report("A", State::Settled);
    second.receipt = Some("RC-B".to_owned());
    bench.tell(id, second).await;
    let payment = bench.payment(id).await;
    assert_eq!(payment.attention().unwrap().claimed.as_deref(), Some("receipt RC-B"));
    let mut back = report("A", State::Reversed);
    back.receipt = Some("RC-C".to_owned());
    bench.tell(id, back).await;
    let payment = bench.payment(id).await;
    assert_eq!((payment.state(), payment.receipt.as_deref()), (PaymentState::Reversed, Some("RC-A")));
    let id = bench.accepted("B").await;
    let mut back = report("B", State::Reversed);
    back.receipt = Some("RC-D".to_owned());
    bench.tell(id, back).await;
    assert_eq!(bench.payment(id).await.receipt, None);
}

pub(crate) async fn goods_come_back_whole(bench: &Bench) {
    let id = bench.accepted("A").await;
    let mut bought = report("A", State::Settled);
    bought.goods = vec![
        Good::new(GoodKind::VoucherPin, Secret::new("7777-1234")),
        Good::new(GoodKind::VoucherSerial, Secret::new("S-1")),
    ];
    bench.tell(id, bought).await;
    assert_eq!(bench.payment(id).await.goods, 2);
    let reports = bench.journal.reports(id).await.unwrap();
    let values: Vec<_> = reports[1].goods.iter().map(|good| good.value.expose()).collect();
    assert_eq!(values, ["7777-1234", "S-1"]);
    assert_eq!(reports[1].raw, report("A", State::Settled).raw);
    let printed = crate::bench::printed(&*bench.journal, id).await;
    for hidden in ["7777-1234", "254708374149", "Wanjiku Otieno", "WANJIKU"] {
        assert!(!printed.contains(hidden), "{hidden} in {printed}");
    }
}

pub(crate) async fn what_was_not_sent_is_held_when_somebody_speaks_of_it(bench: &Bench) {
    // What agrees is taken, and flagged.
    let id = bench.recorded("A").await;
    assert_eq!(bench.tell(id, report("A", State::Settled)).await, applied(PaymentState::Paid, News::New));
    assert_eq!(bench.payment(id).await.attention().unwrap().reason, Reason::ReportedUnsent);
    // What does not agree is no reason to send it now.
    let id = bench.recorded("B").await;
    let mut other = report("B", State::Settled);
    other.amount = Some(Money::kes("1").unwrap());
    assert_eq!(bench.tell(id, other).await, applied(PaymentState::Recorded, News::New));
    assert_eq!(bench.payment(id).await.next_at, None);
    assert_eq!(bench.refused(begin(id, "a", None)).await, Refused::Held { payment: id });
    let claim = Entry::ClaimDue(ClaimDue::new(PROVIDER, lease("a"), 9));
    assert_eq!(bench.done(claim).await, Done::Claimed(Vec::new()));
    let keep = Resolve::new(id, "amina", "it was meant for another payment", Decision::Keep);
    bench.done(Entry::Resolve(Box::new(keep))).await;
    assert_eq!(bench.begun(begin(id, "a", None)).await.attempt, Attempt(1));
}

pub(crate) async fn every_end_is_one_event(bench: &Bench) {
    let id = bench.accepted("A").await;
    for told in
        [State::Settled, State::Pending, State::Settled, State::Failed, State::Reversed, State::Reversed]
    {
        bench.tell(id, report("A", told)).await;
    }
    let history = bench.journal.history(id).await.unwrap();
    let ends: Vec<_> = history.iter().filter_map(malipo_journal::Event::outcome).collect();
    assert_eq!(ends, [PaymentState::Paid, PaymentState::Reversed]);
    let by_ref =
        Find::ProviderRef { provider: PROVIDER, kind: "conversation".to_owned(), value: "AG-A".to_owned() };
    assert_eq!(bench.journal.find(&by_ref).await.unwrap().unwrap().id, id);
}
