//! Money that came in unasked, at SasaPay over every transport: what is posted is a reason to ask, what is booked is what
//! SasaPay answers, and the same money is told once.

use malipo::journal::{
    CreditId, CreditRecord, CreditSequence, CreditState, Deliveries, DeliveryId, JournalErrorKind, Reason,
};
use malipo::sasapay::SasaPay;
use malipo_sim::SasaPayAccount;
use rust_decimal::Decimal;

use super::failing::{Failing, Fails};
use super::*;

const PAYER: &str = "254722000001";

fn noticed(options: Options, url: &CallbackUrl) -> Options {
    options.with_sasapay(SasaPayAccount::new().with_ipn_url(url.as_str().parse().unwrap()))
}

/// SasaPay tells of all money that comes in, and is asked about it.
pub(super) async fn shops() -> Vec<Books> {
    shops_in(|env| Arc::new(MemoryJournal::new(env))).await
}

async fn shops_in(journal: impl Fn(Arc<SystemEnv>) -> Arc<dyn Journal>) -> Vec<Books> {
    let set_up = SetUp { options: noticed, account: |account, sasapay| account.with_credits(sasapay) };
    opened(journal, set_up).await
}

async fn opened(journal: impl Fn(Arc<SystemEnv>) -> Arc<dyn Journal>, set_up: SetUp<SasaPay>) -> Vec<Books> {
    let operation = Operation::Collect;
    Books::each_of(journal, Gateway::SasaPay, operation, sasapay, |policy| policy, set_up).await
}

fn kes(amount: &str) -> Money {
    Money::kes(amount).unwrap()
}

impl Books {
    /// Reads all that was posted so far.
    async fn read(&self) {
        self.sim.idle().await;
        while self.payments.tick().await.unwrap().read > 0 {}
    }

    async fn told(&self) -> Vec<CreditRecord> {
        self.payments.credits(CreditSequence(0), 99).await.unwrap()
    }

    async fn credit(&self, number: u64) -> Option<CreditRecord> {
        self.payments.journal().credit(CreditId(number)).await.unwrap()
    }

    /// SasaPay's name for the last money that came in.
    fn transaction(&self) -> String {
        let ledger = self.sim.ledger();
        let last = ledger.moves().iter().rfind(|one| one.kind == MoveKind::Payment);
        last.unwrap().receipt.clone()
    }

    fn verified(&self) -> usize {
        self.sim.calls(Gateway::SasaPay, Operation::Verify)
    }

    /// Posts a notice as anybody can who knows the URL, and reads it.
    async fn post(&self, transaction: &str, amount: &str, account: &str) {
        let body = format!(
            r#"{{"MerchantCode":"600980","BusinessShortCode":"600980","InvoiceNumber":"INV-{transaction}","PaymentMethod":"M-PESA","TransID":"{transaction}","ThirdPartyTransID":"PR1","FullName":"Jane Doe","FirstName":"Jane","MiddleName":"","LastName":"Doe","TransactionType":"C2B","MSISDN":"{PAYER}","OrgAccountBalance":"0.00","TransAmount":"{amount}","TransTime":"20261122120000","BillRefNumber":"{account}"}}"#
        );
        assert_eq!(self.deliver(body.as_bytes()).await, 200);
        self.read().await;
    }

    async fn deliver(&self, body: &[u8]) -> u16 {
        let url = self.payments.notice_url(&self.account).unwrap();
        let path = format!("/callbacks{}", url.as_str().split_once("/callbacks").unwrap().1);
        self.payments.deliver(&path, &[], body.to_vec()).await.unwrap().reply.status
    }
}

/// A customer pays 350 shillings, and SasaPay tells of it.
pub(super) async fn walk_in(books: &Books) {
    books.sim.walk_in("Table 7", PAYER, Decimal::new(350, 0)).unwrap();
    books.read().await;
}

/// That one credit was told, of 350 shillings, as SasaPay has them in its ledger.
async fn one_of_350(books: &Books) -> CreditRecord {
    let told = books.told().await;
    let [credit] = told.as_slice() else { panic!("over {}: {told:?}", books.over) };
    assert_eq!((credit.state, credit.amount), (CreditState::Confirmed, kes("350")), "over {}", books.over);
    assert_eq!((&*credit.kind, &credit.value), ("transaction", &books.transaction()));
    assert!(credit.answered_at.is_some());
    assert_eq!(books.moved(), 1);
    credit.clone()
}

#[tokio::test]
async fn a_walk_in_that_is_told_three_times_is_one_credit() {
    for books in shops().await {
        let twice = [Fault::CallbackTwice];
        books.sim.walk_in_with("Table 7", PAYER, Decimal::new(350, 0), twice).unwrap();
        books.read().await;
        // And once more in other words.
        books.post(&books.transaction(), "350.00", "Table 7").await;
        let credit = one_of_350(&books).await;
        assert_eq!((credit.attention.clone(), credit.payment), (None, None));
        let read = credit.credit().unwrap().unwrap();
        assert_eq!((read.account.as_deref(), read.trust), (Some("Table 7"), malipo::Trust::Answered));
        assert_eq!(read.payer.unwrap().account.as_deref(), Some(PAYER));
        assert_eq!(books.verified(), 1, "asked once, over {}", books.over);
        assert!(books.payments.credits(credit.sequence, 9).await.unwrap().is_empty(), "and told once");
    }
}

#[tokio::test]
async fn money_that_did_not_come_in_is_never_booked() {
    for books in shops().await {
        books.post("SPEJNOSUCHMONEY", "350.00", "Table 7").await;
        assert_eq!((books.told().await.len(), books.verified()), (0, 1), "over {}", books.over);
        assert_eq!(books.credit(1).await.unwrap().state, CreditState::Claimed);
        // However often it is posted, it is asked about once a minute.
        for amount in ["1.00", "2.00", "3.00"] {
            books.post("SPEJNOSUCHMONEY", amount, "Table 7").await;
        }
        assert_eq!((books.told().await.len(), books.verified()), (0, 1));
        assert!(books.credit(2).await.is_none());
        let asked = books.payments.ask_credit(CreditId(1)).await.unwrap();
        assert_eq!(
            (asked.state, asked.answered_at),
            (CreditState::Claimed, None),
            "nothing says that it is false"
        );
    }
}

#[tokio::test]
async fn a_larger_amount_that_is_posted_is_not_booked() {
    for before in [true, false] {
        for books in shops().await {
            let silent = [Fault::CallbackNever];
            books.sim.walk_in_with("Table 7", PAYER, Decimal::new(350, 0), silent).unwrap();
            books.sim.idle().await;
            let transaction = books.transaction();
            let amounts = if before { ["3500.00", "350.00"] } else { ["350.00", "3500.00"] };
            for amount in amounts {
                books.post(&transaction, amount, "Table 9").await;
            }
            let credit = one_of_350(&books).await;
            let why = credit.attention.clone().unwrap();
            assert_eq!(why.reason, Reason::Mismatched, "over {}", books.over);
            assert_eq!(why.expected, Some(format!("amount {}", kes("350"))));
            assert_eq!(why.claimed, Some(format!("amount {}", kes("3500"))));
            let read = credit.credit().unwrap().unwrap();
            assert_eq!(
                read.account.as_deref(),
                Some("Table 7"),
                "and the account is the one that was answered"
            );
        }
    }
}

#[tokio::test]
async fn a_collections_own_notice_is_no_credit() {
    for books in shops().await {
        // The result first, and the notice behind it.
        books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        let first = books.until("ORDER-1", &[PaymentState::Paid]).await;
        books.read().await;
        // The notice first, and no result: the payment is asked about, and tells.
        books.sim.inject(Gateway::SasaPay, Operation::Collect, [Fault::CallbackNever]).unwrap();
        let second = books.submit("ORDER-2", from_phone("1600")).await.unwrap();
        books.sim.idle().await;
        books.post(&books.transaction(), "1600.00", second.reference.as_str()).await;
        let second = books.until("ORDER-2", &[PaymentState::Paid]).await;
        // And once more when it is over, with a lie.
        books.post(&books.transaction(), "16000.00", second.reference.as_str()).await;
        assert!(books.told().await.is_empty(), "over {}: {:?}", books.over, books.told().await);
        assert_eq!(books.moved(), 2);
        for payment in [first, second] {
            let payment = books.payments.newest(&payment.key).await.unwrap();
            assert_eq!((payment.state(), payment.attention()), (PaymentState::Paid, None));
            let of = Deliveries::Of(payment.id);
            let told = books.payments.journal().deliveries(&of, DeliveryId(0), 9).await.unwrap();
            assert!(told.iter().any(|one| one.purpose == DeliveryPurpose::Notice), "it is that payment's");
        }
    }
}

#[tokio::test]
async fn who_pays_once_more_is_told_as_a_credit_of_that_payment() {
    for books in shops().await {
        books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        let paid = books.until("ORDER-1", &[PaymentState::Paid]).await;
        books.read().await;
        books.sim.walk_in(paid.reference.as_str(), PAYER, Decimal::new(1500, 0)).unwrap();
        books.read().await;
        let told = books.told().await;
        let [credit] = told.as_slice() else { panic!("over {}: {told:?}", books.over) };
        assert_eq!((credit.state, credit.payment), (CreditState::Confirmed, Some(paid.id)));
        assert_eq!((&credit.value, books.moved()), (&books.transaction(), 2));
    }
}

#[tokio::test]
async fn what_cannot_be_asked_about_goes_to_a_person() {
    let memory = |env: Arc<SystemEnv>| -> Arc<dyn Journal> { Arc::new(MemoryJournal::new(env)) };
    let set_up = SetUp { options: noticed, account: |account, _| account };
    for books in opened(memory, set_up).await {
        walk_in(&books).await;
        books.submit("ORDER-1", from_phone("1500")).await.unwrap();
        books.until("ORDER-1", &[PaymentState::Paid]).await;
        books.read().await;
        let told = books.told().await;
        let [credit] = told.as_slice() else { panic!("over {}: {told:?}", books.over) };
        assert_eq!(credit.state, CreditState::Review, "over {}", books.over);
        assert_eq!(credit.attention.as_ref().unwrap().reason, Reason::Unaskable);
        assert_eq!((credit.answered_at, books.verified()), (None, 0));
    }
}

#[tokio::test]
async fn a_lost_answer_decides_nothing() {
    let faults = [
        Fault::LostReply,
        Fault::LostRequest,
        Fault::ErrorAfterAccept,
        Fault::HtmlPage,
        Fault::TruncatedJson,
    ];
    for books in shops().await {
        books.sim.inject(Gateway::SasaPay, Operation::Verify, [faults[0]]).unwrap();
        walk_in(&books).await;
        assert_eq!((books.told().await.len(), books.verified()), (0, 1), "over {}", books.over);
        for fault in &faults[1..] {
            books.sim.inject(Gateway::SasaPay, Operation::Verify, [*fault]).unwrap();
            let asked = books.payments.ask_credit(CreditId(1)).await.unwrap();
            assert_eq!(asked.state, CreditState::Claimed, "{fault:?} over {}", books.over);
        }
        let asked = books.payments.ask_credit(CreditId(1)).await.unwrap();
        assert_eq!(asked, one_of_350(&books).await);
    }
}

#[tokio::test]
async fn a_notice_that_cannot_be_kept_is_not_taken() {
    let journals = std::sync::Mutex::new(Vec::new());
    let make = |env: Arc<SystemEnv>| -> Arc<dyn Journal> {
        let journal = Arc::new(Failing::new(env));
        journals.lock().unwrap().push(journal.clone());
        journal
    };
    let all = shops_in(make).await;
    for (books, journal) in all.into_iter().zip(journals.into_inner().unwrap()) {
        journal.set(Fails::Always(JournalErrorKind::Full));
        books.sim.walk_in("Table 7", PAYER, Decimal::new(350, 0)).unwrap();
        books.sim.idle().await;
        assert_eq!(books.deliver(b"{}").await, 503, "over {}", books.over);
        journal.set(Fails::Never);
        books.read().await;
        assert!(books.credit(1).await.is_none() && books.verified() == 0, "nobody was told that it is kept");
        // It is posted again.
        books.post(&books.transaction(), "350.00", "Table 7").await;
        one_of_350(&books).await;
    }
}
