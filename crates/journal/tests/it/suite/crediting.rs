// tidy: over 400 lines: one promise after another about one subject

use malipo_core::{
    Credit, DeliveryPurpose, Money, Operation, ProviderId, ProviderRefs, Raw, State, ToldParty, Trust,
};
use malipo_journal::{
    Aside, CreditId, CreditRecord, CreditSequence, CreditState, DecideCredit, DeliveryId, Done, DueCredits,
    Entry, Erase, News, Outcome, PaymentId, PaymentState, Reason, Refused, SetAside, Start, StoreCredit,
    StoreDelivery, StoredError,
};

use crate::bench::{Bench, PROVIDER, lease, open_collection, report};

/// Money of this transaction, as somebody posted it.
pub(crate) fn notice(transaction: &str, amount: &str) -> Credit {
    let names = ProviderRefs::new().with("transaction", Some(transaction)).with("third_party", Some("R1"));
    let amount = Money::kes(amount).unwrap();
    let mut credit = Credit::new(PROVIDER, amount, names, Trust::Claimed, Raw::from("{}"));
    credit.payer = ToldParty::new(Some("254708374149"), Some("Wanjiku Otieno"));
    credit.account = Some("Table seven".to_owned());
    credit
}

/// The same as the gateway itself answers it.
pub(crate) fn answer(transaction: &str, amount: &str) -> Credit {
    believed(Trust::Answered, notice(transaction, amount))
}

fn believed(trust: Trust, mut credit: Credit) -> Credit {
    credit.trust = trust;
    credit
}

fn naming(mut credit: Credit, reference: &str) -> Credit {
    credit.reference = Some(reference.parse().unwrap());
    credit
}

/// What came of a notice, each time in other words.
pub(crate) async fn posted(bench: &Bench, words: &str, credit: Credit) -> (DeliveryId, Done) {
    let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Notice, Raw::from(words));
    let Done::Stored(delivery) = bench.done(Entry::StoreDelivery(Box::new(delivery))).await else { panic!() };
    let store = StoreCredit::new(delivery, credit);
    (delivery, bench.done(Entry::StoreCredit(Box::new(store))).await)
}

pub(crate) async fn claimed(bench: &Bench, words: &str, credit: Credit) -> CreditId {
    match posted(bench, words, credit).await.1 {
        Done::Credited { credit, news: News::New, .. } => credit,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn decide(credit: CreditId, answered: Credit) -> Entry {
    Entry::DecideCredit(Box::new(DecideCredit::answered(credit, answered)))
}

pub(crate) fn unaskable(credit: CreditId) -> Entry {
    Entry::DecideCredit(Box::new(DecideCredit::unaskable(credit)))
}

/// Where it stands after that.
pub(crate) async fn decided(bench: &Bench, entry: Entry) -> CreditState {
    match bench.done(entry).await {
        Done::CreditDecided { state, .. } => state,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn record(bench: &Bench, credit: CreditId) -> CreditRecord {
    bench.journal.credit(credit).await.unwrap().unwrap()
}

async fn told(bench: &Bench, after: u64) -> Vec<(u64, CreditId, CreditState)> {
    let told = bench.journal.credits(CreditSequence(after), 99).await.unwrap();
    told.iter().map(|credit| (credit.sequence.0, credit.id, credit.state)).collect()
}

async fn due(bench: &Bench) -> (Vec<CreditId>, Vec<CreditId>) {
    let entry = Entry::DueCredits(DueCredits::new(vec![PROVIDER, ProviderId::of("otherpay")], 99));
    let Done::CreditsDue { due, given_up } = bench.done(entry).await else { panic!() };
    let ids = |credits: Vec<CreditRecord>| credits.iter().map(|credit| credit.id).collect();
    (ids(due), ids(given_up))
}

/// A collection that the gateway took.
pub(crate) async fn collection(bench: &Bench, name: &str) -> PaymentId {
    let open = open_collection(name, name).with_start(Start::Now(lease("a")));
    let (id, begun) = bench.sending(open).await;
    let mut told = report(name, State::Pending);
    (told.operation, told.provider_refs) = (Some(Operation::Collect), ProviderRefs::new());
    bench.finish(id, begun, Outcome::Accepted(told)).await;
    id
}

/// It ends so, by this transaction if one is told.
pub(crate) async fn ends(bench: &Bench, name: &str, id: PaymentId, state: State, transaction: Option<&str>) {
    let mut told = report(name, state);
    told.operation = Some(Operation::Collect);
    told.provider_refs = ProviderRefs::new().with("transaction", transaction);
    bench.tell(id, told).await;
}

pub(crate) async fn one_transaction_is_one_credit(bench: &Bench) {
    let (first, done) = posted(bench, "{1}", notice("T1", "350")).await;
    let Done::Credited { credit, news: News::New, open: None } = done else { panic!("{done:?}") };
    for words in ["{2}", "{3}"] {
        let again = Done::Credited { credit, news: News::Repeat, open: None };
        assert_eq!(posted(bench, words, notice("T1", "350")).await.1, again);
    }
    let kept = record(bench, credit).await;
    assert_eq!(
        (kept.state, kept.amount, kept.delivery),
        (CreditState::Claimed, Money::kes("350").unwrap(), first)
    );
    assert_eq!((&*kept.kind, &*kept.value, kept.answered_at), ("transaction", "T1", None));
    assert_eq!((kept.received_at, kept.payment, kept.attention), (bench.now(), None, None));
    assert_eq!(told(bench, 0).await, [], "a claim is told to nobody");
    let delivery = bench.journal.delivery(first).await.unwrap().unwrap();
    assert_eq!((delivery.set_aside, delivery.payment), (Some(Aside::Credit), None));
    // The delivery is done with, and another transaction is another credit.
    let store = Entry::StoreCredit(Box::new(StoreCredit::new(first, notice("T9", "1"))));
    assert_eq!(bench.done(store).await, Done::SetAside(News::Repeat));
    assert_ne!(claimed(bench, "{4}", notice("T2", "350")).await, credit);
    let mut named_first = notice("T1", "350");
    named_first.provider_refs = ProviderRefs::new().with("other_kind", Some("T1"));
    assert_ne!(claimed(bench, "{5}", named_first).await, credit);
}

pub(crate) async fn what_is_no_money_under_a_name_is_refused(bench: &Bench) {
    let mut nameless = notice("T1", "350");
    nameless.provider_refs = ProviderRefs::new();
    let mut elsewhere = notice("T1", "350");
    elsewhere.provider = ProviderId::of("otherpay");
    let bad = [nameless, elsewhere, notice("T1", "0"), notice("T1", "-5")];
    for (number, credit) in bad.into_iter().enumerate() {
        let body = Raw::from(format!("{{{number}}}").as_str());
        let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Notice, body);
        let Done::Stored(id) = bench.done(Entry::StoreDelivery(Box::new(delivery))).await else { panic!() };
        let refused = bench.refused(Entry::StoreCredit(Box::new(StoreCredit::new(id, credit)))).await;
        assert_eq!(refused, Refused::Unstorable(StoredError::Malformed("credit")));
    }
    let store = StoreCredit::new(DeliveryId(99), notice("T1", "1"));
    assert_eq!(bench.refused(Entry::StoreCredit(Box::new(store))).await, Refused::NoSuchDelivery);
    assert_eq!(bench.refused(decide(CreditId(9), answer("T1", "1"))).await, Refused::NoSuchCredit);
    assert!(bench.journal.credit(CreditId(1)).await.unwrap().is_none());
}

pub(crate) async fn only_the_gateways_own_answer_confirms(bench: &Bench) {
    let id = claimed(bench, "{1}", notice("T1", "350")).await;
    let mut elsewhere = answer("T1", "350");
    elsewhere.provider = ProviderId::of("otherpay");
    let addressed = believed(Trust::Addressed, answer("T1", "350"));
    for other in [notice("T1", "350"), addressed, answer("T2", "350"), elsewhere, answer("T1", "0")] {
        let refused = bench.refused(decide(id, other)).await;
        assert_eq!(refused, Refused::NotItsAnswer);
    }
    assert_eq!(record(bench, id).await.state, CreditState::Claimed);
    bench.clock.forward(5);
    assert_eq!(decided(bench, decide(id, answer("T1", "350"))).await, CreditState::Confirmed);
    let kept = record(bench, id).await;
    assert_eq!((kept.answered_at, kept.changed_at), (Some(bench.now()), bench.now()));
    assert_eq!((kept.sequence, kept.attention.clone(), kept.payment), (CreditSequence(1), None, None));
    let read = kept.credit().unwrap().unwrap();
    assert_eq!((read.trust, read.account.as_deref()), (Trust::Answered, Some("Table seven")));
    assert_eq!(read.payer.unwrap().name.as_deref(), Some("Wanjiku Otieno"));
    // What is confirmed stays so, whatever is answered or posted later.
    assert_eq!(decided(bench, decide(id, answer("T1", "1"))).await, CreditState::Confirmed);
    assert_eq!(decided(bench, unaskable(id)).await, CreditState::Confirmed);
    assert_eq!(bench.journal.credits(CreditSequence(0), 9).await.unwrap(), [kept]);
}

pub(crate) async fn another_amount_that_is_posted_is_evidence(bench: &Bench) {
    let differs = |credit: &CreditRecord| {
        let why = credit.attention.clone().unwrap();
        (why.reason, why.expected.unwrap(), why.claimed.unwrap())
    };
    let (small, large) = (Money::kes("350").unwrap(), Money::kes("3500").unwrap());
    let expected = (Reason::Mismatched, format!("amount {small}"), format!("amount {large}"));
    // The forged one first, and the honest one behind it.
    let first = claimed(bench, "{1}", notice("T1", "3500")).await;
    posted(bench, "{2}", notice("T1", "350")).await;
    // The honest one first, and the forged one before the answer.
    let second = claimed(bench, "{3}", notice("T2", "350")).await;
    posted(bench, "{4}", notice("T2", "3500")).await;
    // The forged one after the answer.
    let third = claimed(bench, "{5}", notice("T3", "350")).await;
    for (id, transaction) in [(first, "T1"), (second, "T2"), (third, "T3")] {
        assert_eq!(decided(bench, decide(id, answer(transaction, "350"))).await, CreditState::Confirmed);
    }
    assert_eq!(record(bench, third).await.attention, None);
    posted(bench, "{6}", notice("T3", "3500")).await;
    for id in [first, second, third] {
        let kept = record(bench, id).await;
        assert_eq!((kept.state, kept.amount), (CreditState::Confirmed, small), "the gateway's counts");
        assert_eq!(differs(&kept), expected);
    }
    assert_eq!(told(bench, 0).await.len(), 3, "none is told twice for that");
}

pub(crate) async fn a_collections_own_notice_is_no_credit(bench: &Bench) {
    let id = collection(bench, "A").await;
    ends(bench, "A", id, State::Settled, Some("T1")).await;
    // Also when it lies about the amount.
    for (words, amount) in [("{1}", "1500"), ("{2}", "15000")] {
        let (delivery, done) = posted(bench, words, naming(notice("T1", amount), "A")).await;
        assert_eq!(done, Done::SetAside(News::New));
        let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
        assert_eq!((kept.set_aside, kept.payment), (Some(Aside::Collected), Some(id)));
    }
    assert!(bench.journal.credit(CreditId(1)).await.unwrap().is_none());
    assert_eq!(bench.payment(id).await.attention(), None);
}

pub(crate) async fn a_notice_that_is_first_waits_for_its_collection(bench: &Bench) {
    let id = collection(bench, "A").await;
    let (delivery, done) = posted(bench, "{1}", naming(notice("T1", "1500"), "A")).await;
    let Done::Credited { credit, news: News::New, open } = done else { panic!("{done:?}") };
    assert_eq!(open, Some(id));
    assert_eq!(due(bench).await, (vec![], vec![]), "there is time");
    // The gateway's own answer changes nothing of that.
    let waits = Done::CreditDecided { from: CreditState::Claimed, state: CreditState::Claimed, open };
    let named = naming(answer("T1", "1500"), "A");
    assert_eq!(bench.done(decide(credit, named.clone())).await, waits);
    assert_eq!(bench.done(unaskable(credit)).await, waits);
    ends(bench, "A", id, State::Settled, Some("T1")).await;
    let kept = record(bench, credit).await;
    assert_eq!((kept.state, kept.payment), (CreditState::Collected, Some(id)));
    assert_eq!(told(bench, 0).await, [], "it was never told, and is not");
    let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
    assert_eq!((kept.set_aside, kept.payment), (Some(Aside::Collected), Some(id)));
    assert_eq!(decided(bench, decide(credit, named)).await, CreditState::Collected);
    let (_, again) = posted(bench, "{2}", naming(notice("T1", "1500"), "A")).await;
    assert_eq!(again, Done::SetAside(News::New));
    assert_eq!(bench.payment(id).await.attention(), None);
}

pub(crate) async fn what_comes_beside_a_collection_is_a_credit(bench: &Bench) {
    let (paid, failed) = (collection(bench, "A").await, collection(bench, "B").await);
    ends(bench, "A", paid, State::Settled, Some("T1")).await;
    ends(bench, "B", failed, State::Failed, None).await;
    for (words, transaction, name, payment) in [("{1}", "T2", "A", paid), ("{2}", "T3", "B", failed)] {
        let id = claimed(bench, words, naming(notice(transaction, "1500"), name)).await;
        let answered = naming(answer(transaction, "1500"), name);
        assert_eq!(decided(bench, decide(id, answered)).await, CreditState::Confirmed);
        let kept = record(bench, id).await;
        assert_eq!((kept.payment, kept.attention), (Some(payment), None), "paid twice, or paid after all");
    }
    // What was called failed and then says that it was that transaction is for a person, and is no second credit.
    ends(bench, "B", failed, State::Settled, Some("T3")).await;
    assert_eq!(bench.state(failed).await, PaymentState::Failed);
    assert!(bench.payment(failed).await.attention().is_some());
    assert_eq!(told(bench, 0).await.len(), 2);
}

pub(crate) async fn what_nothing_tells_apart_goes_to_a_person(bench: &Bench) {
    let id = collection(bench, "A").await;
    ends(bench, "A", id, State::Settled, None).await;
    let credit = claimed(bench, "{1}", naming(notice("T1", "1500"), "A")).await;
    let named = naming(answer("T1", "1500"), "A");
    assert_eq!(
        decided(bench, decide(credit, named.clone())).await,
        CreditState::Claimed,
        "it may still tell"
    );
    bench.clock.forward(601);
    assert_eq!(due(bench).await, (vec![credit], vec![]));
    assert_eq!(decided(bench, decide(credit, named)).await, CreditState::Review);
    let kept = record(bench, credit).await;
    assert_eq!((kept.attention.unwrap().reason, kept.payment), (Reason::Ambiguous, Some(id)));
    assert_eq!(told(bench, 0).await, [(1, credit, CreditState::Review)]);
    // The payment tells after all.
    ends(bench, "A", id, State::Settled, Some("T1")).await;
    assert_eq!(told(bench, 1).await, [(2, credit, CreditState::Collected)]);
}

pub(crate) async fn a_credit_that_turns_out_to_be_a_collection_is_told_again(bench: &Bench) {
    let (same, more) = (collection(bench, "A").await, collection(bench, "B").await);
    let first = claimed(bench, "{1}", notice("T1", "1500")).await;
    let second = claimed(bench, "{2}", notice("T2", "2000")).await;
    let third = claimed(bench, "{3}", notice("T3", "1")).await;
    decided(bench, decide(first, answer("T1", "1500"))).await;
    decided(bench, decide(second, answer("T2", "2000"))).await;
    ends(bench, "A", same, State::Settled, Some("T1")).await;
    ends(bench, "B", more, State::Settled, Some("T2")).await;
    let news = [(3, first, CreditState::Collected), (4, second, CreditState::Review)];
    assert_eq!(told(bench, 0).await, news, "what was done for it is to be taken back, or looked at");
    let kept = record(bench, second).await;
    let why = kept.attention.unwrap();
    let shown = (why.expected.unwrap(), why.claimed.unwrap());
    let amounts = ["1500", "2000"].map(|amount| format!("amount {}", Money::kes(amount).unwrap()));
    assert_eq!((why.reason, shown), (Reason::Mismatched, amounts.into()));
    assert_eq!((kept.payment, bench.state(more).await), (Some(more), PaymentState::Paid));
    assert_eq!(record(bench, third).await.state, CreditState::Claimed, "and no other is touched");
}

/// Whoever posts may name any payment beside a transaction. Only what the gateway answers counts.
pub(crate) async fn what_is_posted_beside_the_transaction_decides_nothing(bench: &Bench) {
    let (paid, open) = (collection(bench, "A").await, collection(bench, "B").await);
    let mut told_by = report("A", State::Settled);
    (told_by.operation, told_by.receipt) = (Some(Operation::Collect), Some("R1".to_owned()));
    told_by.provider_refs = ProviderRefs::new();
    bench.tell(paid, told_by).await;
    // It has the receipt of a payment of ours, says a liar.
    let first = claimed(bench, "{1}", notice("T1", "1500")).await;
    let mut bare = answer("T1", "1500");
    bare.provider_refs = ProviderRefs::new().with("transaction", Some("T1"));
    assert_eq!(decided(bench, decide(first, bare)).await, CreditState::Confirmed);
    // It is for a collection that is open, says another: the news are late by a minute, and not lost.
    let second = claimed(bench, "{2}", naming(notice("T2", "1500"), "B")).await;
    assert_eq!(record(bench, second).await.payment, Some(open));
    bench.clock.forward(61);
    assert_eq!(due(bench).await.0, [second]);
    let mut bare = answer("T2", "1500");
    bare.provider_refs = ProviderRefs::new().with("transaction", Some("T2"));
    assert_eq!(decided(bench, decide(second, bare)).await, CreditState::Confirmed);
    assert_eq!(record(bench, second).await.payment, None);
    // The gateway itself says so.
    let third = claimed(bench, "{3}", notice("T3", "1500")).await;
    assert_eq!(decided(bench, decide(third, answer("T3", "1500"))).await, CreditState::Collected);
    assert_eq!(record(bench, third).await.payment, Some(paid));
}

pub(crate) async fn a_claim_is_asked_about_more_and_more_rarely_and_then_shown(bench: &Bench) {
    let id = claimed(bench, "{1}", notice("T1", "350")).await;
    assert_eq!(due(bench).await, (vec![], vec![]), "whoever wrote it down asks at once");
    let none = (vec![], vec![]);
    let mut asked = 0;
    // A day, minute by minute.
    for _ in 0..1440 {
        bench.clock.forward(60);
        asked += due(bench).await.0.len();
        assert_eq!(due(bench).await, none, "once");
    }
    assert!((60..80).contains(&asked), "{asked}: ten in minutes, then each ten minutes, then each hour");
    bench.clock.forward(6 * 24 * 3600 + 3600);
    assert_eq!(due(bench).await, (vec![], vec![id]));
    let kept = record(bench, id).await;
    assert_eq!((kept.state, kept.attention.unwrap().reason), (CreditState::Review, Reason::Unconfirmed));
    assert_eq!(told(bench, 0).await, [(1, id, CreditState::Review)]);
    bench.clock.forward(24 * 3600);
    assert_eq!(due(bench).await, none, "a person has it");
    // And no clock has made it false.
    assert_eq!(decided(bench, decide(id, answer("T1", "350"))).await, CreditState::Confirmed);
    assert_eq!(told(bench, 1).await, [(2, id, CreditState::Confirmed)]);
    let other = Entry::DueCredits(DueCredits::new(vec![ProviderId::of("otherpay")], 99));
    claimed(bench, "{2}", notice("T2", "350")).await;
    bench.clock.forward(3600);
    assert_eq!(bench.done(other).await, Done::CreditsDue { due: vec![], given_up: vec![] });
    let nobody = Entry::DueCredits(DueCredits::new(vec![], 99));
    assert_eq!(bench.done(nobody).await, Done::CreditsDue { due: vec![], given_up: vec![] });
}

pub(crate) async fn what_cannot_be_asked_about_goes_to_a_person(bench: &Bench) {
    let id = claimed(bench, "{1}", notice("T1", "3500")).await;
    assert_eq!(decided(bench, unaskable(id)).await, CreditState::Review);
    let kept = record(bench, id).await;
    assert_eq!((kept.attention.unwrap().reason, kept.answered_at), (Reason::Unaskable, None));
    assert_eq!(decided(bench, unaskable(id)).await, CreditState::Review);
    assert_eq!(told(bench, 0).await, [(1, id, CreditState::Review)]);
    // Somebody found a way.
    assert_eq!(decided(bench, decide(id, answer("T1", "350"))).await, CreditState::Confirmed);
    let kept = record(bench, id).await;
    assert_eq!(kept.amount, Money::kes("350").unwrap());
    assert_eq!(kept.attention.unwrap().reason, Reason::Mismatched, "and what was posted stands beside it");
    assert_eq!(told(bench, 1).await, [(2, id, CreditState::Confirmed)]);
}

/// A result may name the transaction otherwise than its notice does.
pub(crate) async fn money_is_told_once_whichever_of_its_names_its_collection_has(bench: &Bench) {
    for (name, is_first) in [("A", true), ("B", false)] {
        let id = collection(bench, name).await;
        let (words, transaction) = (format!("{{{name}}}"), format!("T-{name}"));
        let mut noticed = notice(&transaction, "1500");
        noticed.provider_refs =
            ProviderRefs::new().with("transaction", Some(&transaction)).with("third_party", Some(name));
        let answered = believed(Trust::Answered, noticed.clone());
        let mut told_of_it = report(name, State::Settled);
        (told_of_it.operation, told_of_it.provider_refs) = (Some(Operation::Collect), ProviderRefs::new());
        told_of_it.receipt = Some(name.to_owned());
        let credit = if is_first {
            let credit = claimed(bench, &words, noticed).await;
            assert_eq!(decided(bench, decide(credit, answered)).await, CreditState::Confirmed);
            bench.tell(id, told_of_it).await;
            credit
        } else {
            bench.tell(id, told_of_it).await;
            let credit = claimed(bench, &words, noticed).await;
            assert_eq!(decided(bench, decide(credit, answered)).await, CreditState::Collected);
            credit
        };
        let kept = record(bench, credit).await;
        assert_eq!((kept.state, kept.payment), (CreditState::Collected, Some(id)), "{name}");
        assert_eq!(kept.also.as_deref(), Some(name));
    }
}

pub(crate) async fn whoever_looks_at_a_claim_is_shown_each_amount(bench: &Bench) {
    let id = claimed(bench, "{1}", notice("T1", "1")).await;
    assert_eq!(decided(bench, unaskable(id)).await, CreditState::Review);
    for words in ["{2}", "{3}"] {
        posted(bench, words, notice("T1", "90000")).await;
        let why = record(bench, id).await.attention.unwrap();
        assert_eq!(why.claimed.as_deref(), Some("amount KES 1.00, amount KES 90,000.00"));
        assert_eq!(told(bench, 1).await, [(2, id, CreditState::Review)], "told anew, once");
    }
    // What the gateway answers while a collection is open that it may be of changes nothing that was shown.
    collection(bench, "A").await;
    let waits = bench.done(decide(id, naming(answer("T1", "90000"), "A"))).await;
    assert!(
        matches!(waits, Done::CreditDecided { state: CreditState::Review, open: Some(_), .. }),
        "{waits:?}"
    );
    assert_eq!(record(bench, id).await.amount, Money::kes("1").unwrap());
    assert_eq!(told(bench, 2).await, []);
}

pub(crate) async fn what_an_older_reader_set_aside_can_be_booked(bench: &Bench) {
    for (words, why) in [("{1}", Aside::Unsigned), ("{2}", Aside::Unreadable), ("{3}", Aside::NotModelled)] {
        let delivery = StoreDelivery::new(PROVIDER, DeliveryPurpose::Notice, Raw::from(words));
        let Done::Stored(delivery) = bench.done(Entry::StoreDelivery(Box::new(delivery))).await else {
            panic!()
        };
        bench.done(Entry::SetAside(SetAside::new(delivery, why))).await;
        let store = StoreCredit::new(delivery, notice(words, "350"));
        let done = bench.done(Entry::StoreCredit(Box::new(store))).await;
        assert!(matches!(done, Done::Credited { news: News::New, .. }), "{why}: {done:?}");
        let kept = bench.journal.delivery(delivery).await.unwrap().unwrap();
        assert_eq!(kept.set_aside, Some(Aside::Credit));
    }
}

pub(crate) async fn credits_follow_one_another(bench: &Bench) {
    let mut ids = Vec::new();
    for number in 1..=5 {
        let transaction = format!("T{number}");
        ids.push(claimed(bench, &format!("{{{number}}}"), notice(&transaction, "350")).await);
    }
    // In the order in which there is something to tell, not in which they came.
    for at in [4, 0, 2] {
        let transaction = format!("T{}", at + 1);
        decided(bench, decide(ids[at], answer(&transaction, "350"))).await;
    }
    let confirmed = CreditState::Confirmed;
    let all = [(1, ids[4], confirmed), (2, ids[0], confirmed), (3, ids[2], confirmed)];
    assert_eq!(told(bench, 0).await, all);
    assert_eq!(told(bench, 2).await, all[2..]);
    let page = bench.journal.credits(CreditSequence(0), 2).await.unwrap();
    assert_eq!(page.iter().map(|credit| credit.id).collect::<Vec<_>>(), [ids[4], ids[0]]);
    // One that changes again comes again, behind all others.
    let payment = collection(bench, "A").await;
    let mut told_by = report("A", State::Settled);
    told_by.operation = Some(Operation::Collect);
    told_by.provider_refs = ProviderRefs::new().with("transaction", Some("T5"));
    bench.tell(payment, told_by).await;
    assert_eq!(told(bench, 3).await, [(4, ids[4], CreditState::Review)], "350 is not what was asked for");
    assert_eq!(told(bench, 0).await.len(), 3, "and not under its old number");
}

pub(crate) async fn who_paid_is_erased_and_what_was_paid_is_not(bench: &Bench) {
    let confirmed = claimed(bench, "{1}", notice("T1", "350")).await;
    let waits = claimed(bench, "{2}", notice("T2", "350")).await;
    decided(bench, decide(confirmed, answer("T1", "350"))).await;
    let before = record(bench, confirmed).await;
    let early = Done::Erased { payments: 0, deliveries: 0, credits: 0 };
    assert_eq!(bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await, early);
    bench.clock.forward(1);
    let erased = Done::Erased { payments: 0, deliveries: 2, credits: 1 };
    assert_eq!(bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await, erased);
    let after = record(bench, confirmed).await;
    assert!(after.credit().unwrap().is_none());
    assert_eq!((after.amount, after.value, after.sequence), (before.amount, before.value, before.sequence));
    assert_eq!((after.received_at, after.answered_at), (before.received_at, before.answered_at));
    assert!(record(bench, waits).await.credit().unwrap().is_some(), "it is still to be asked about");
    assert_eq!(bench.done(Entry::Erase(Erase::new(bench.now(), 9))).await, early, "once");
}

/// A credit in any state, and the number that it has.
pub(crate) async fn standing(bench: &Bench, name: &str, state: CreditState) -> CreditId {
    let id = claimed(bench, &format!("{{{name}}}"), notice(name, "1500")).await;
    match state {
        CreditState::Claimed => {}
        CreditState::Confirmed => drop(decided(bench, decide(id, answer(name, "1500"))).await),
        CreditState::Review => drop(decided(bench, unaskable(id)).await),
        CreditState::Collected => {
            let payment = collection(bench, name).await;
            ends(bench, name, payment, State::Settled, Some(name)).await;
        }
    }
    assert_eq!(record(bench, id).await.state, state);
    id
}
