use malipo::journal::Payment;

use super::*;

const ORDINARY: Scene = Scene {
    order: Order { key: "salary 1", payee: "0708374149", shillings: "1500" },
    twist: None,
    faults: &[],
    ask_after: LATER,
};
const SECOND: Order<'static> = Order { key: "salary 2", payee: "0722000000", shillings: "1500" };

async fn played(scenes: &[Scene]) -> (Stage, Comparison) {
    let mut stage = Stage::set(Story::Json, 7).await.unwrap();
    for (number, scene) in (1..).zip(scenes) {
        stage.play(number, scene).await.unwrap();
    }
    let comparison = stage.compare().await.unwrap();
    (stage, comparison)
}

#[tokio::test]
async fn what_nobody_told_us_is_unexplained() {
    let untold = Scene { order: SECOND, faults: &[Fault::CallbackNever], ..ORDINARY };
    let mut stage = Stage::set(Story::Json, 7).await.unwrap();
    stage.play(1, &ORDINARY).await.unwrap();
    stage.patience = Duration::from_millis(400);
    stage.play(2, &untold).await.unwrap();
    let comparison = stage.compare().await.unwrap();
    assert_eq!((comparison.paid_in_books, comparison.paid_in_ledger, comparison.open), (1, 2, 1));
    assert!(!comparison.is_clean());
}

#[tokio::test]
async fn a_callback_that_claims_another_amount_settles_nothing() {
    let (_, comparison) = played(&[Scene { faults: &[Fault::CallbackForged], ..ORDINARY }]).await;
    assert_eq!((comparison.paid_in_books, comparison.paid_in_ledger), (1, 1), "the true one did");
    assert!(comparison.is_clean());
}

#[tokio::test]
async fn a_key_that_is_known_sends_nothing_and_a_key_that_is_not_known_is_found_out() {
    let (mut stage, clean) = played(&[ORDINARY]).await;
    assert!(clean.is_clean());
    stage.repeat(2, &ORDINARY.order).await.unwrap();
    stage.conflict(3, &Order { shillings: "1501", ..ORDINARY.order }).await.unwrap();
    assert_eq!((stage.requests(), stage.compare().await.unwrap()), (1, clean));
    // A key that was never used is a payment of its own.
    stage.repeat(4, &SECOND).await.unwrap();
    stage.conflict(5, &Order { key: "salary 3", ..SECOND }).await.unwrap();
    let comparison = stage.compare().await.unwrap();
    assert_eq!(comparison.unexplained.iter().filter(|line| line.contains("salary")).count(), 4);
}

/// Each of these says so if it goes otherwise, so it is not enough that nothing is paid twice.
#[tokio::test]
async fn callbacks_that_come_otherwise_than_promised_are_found_out() {
    let mut stage = Stage::set(Story::Json, 7).await.unwrap();
    stage.repeat_callback(1, &callbacks::REPEATED).await.unwrap();
    stage.hear_early(2, &callbacks::EARLY).await.unwrap();
    stage.hear_forged(3, &callbacks::FORGED).await.unwrap();
    assert_eq!(stage.broken, Vec::<String>::new());
    // None of it happens to a payment that was over before.
    stage.hear_early(4, &callbacks::REPEATED.order).await.unwrap();
    stage.hear_forged(5, &callbacks::REPEATED.order).await.unwrap();
    assert_eq!(stage.broken.len(), 2, "{:?}", stage.broken);
    assert!(!stage.compare().await.unwrap().is_clean());
}

#[tokio::test]
async fn books_that_differ_from_the_ledger_are_found_out() {
    let (stage, clean) = played(&[ORDINARY]).await;
    assert!(clean.is_clean());
    let ledger = stage.sim.ledger();
    let ours = books(&*stage.engine.journal).await.unwrap();
    let compare = |books: &[Payment]| Comparison::of(books, &ledger, Gateway::Daraja);

    assert_eq!(compare(&ours), clean);
    assert_eq!(compare(&[]).unexplained.len(), 1, "a payment that is not ours");
    let altered = |alter: fn(&mut Payment)| {
        let mut books = ours.clone();
        books.iter_mut().for_each(alter);
        compare(&books)
    };
    let alterations: [fn(&mut Payment); 5] = [
        |ours| ours.standing.state = PaymentState::Failed,
        |ours| ours.standing.state = PaymentState::Unknown,
        |ours| ours.receipt = Some("ANOTHER000".into()),
        |ours| ours.receipt = None,
        |ours| ours.amount = malipo::Money::kes("1501").unwrap(),
    ];
    for alter in alterations {
        assert_eq!(altered(alter).unexplained.len(), 1);
    }
    let strange = altered(|ours| ours.reference = "SOMEBODY-ELSES".parse().unwrap());
    assert_eq!(strange.unexplained.len(), 2, "one that the gateway does not know, one that we do not");
    assert!(!Comparison { paid_twice: 1, ..clean }.is_clean());
}

#[tokio::test]
async fn whoever_is_paid_by_two_orders_is_counted() {
    let (_, comparison) =
        played(&[ORDINARY, Scene { order: Order { key: "salary 2", ..ORDINARY.order }, ..ORDINARY }]).await;
    assert_eq!((comparison.paid_in_ledger, comparison.paid_twice), (2, 1));
    assert!(!comparison.is_clean());
}
