use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Everything that was logged while it listened, at every level: names, targets and fields of spans and events.
///
/// ```
/// use malipo_testkit::CapturedLog;
///
/// let log = CapturedLog::new();
/// let seven = log.during(|| {
///     tracing::trace!(token = "planted", "asked");
///     7
/// });
/// assert_eq!(seven, 7);
/// assert!(log.text().contains("planted"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct CapturedLog {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
}

impl CapturedLog {
    /// Nothing captured yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Does `work` and captures what this thread logs meanwhile.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        // For each place that logs, tracing remembers whether anybody listens. Where there is one listener it asks only
        // the thread that comes there first, which may be another test's; where there are two, it asks them.
        let _second = tracing::Dispatch::new(self.clone());
        tracing::subscriber::with_default(self.clone(), work)
    }

    /// What was captured.
    pub fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&format!("{} {} {}:", metadata.level(), metadata.target(), metadata.name()));
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // As it is, so that nothing planted hides behind an escape.
        self.0.push_str(&format!(" {}={value}", field.name()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut cause = Some(value);
        while let Some(error) = cause {
            self.0.push_str(&format!(" {}={error} ({error:?})", field.name()));
            cause = error.source();
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string cannot fail; a Debug that says it failed has said it.
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for CapturedLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write(span.metadata(), |line| span.record(line));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        values.record(&mut Line(&mut text));
        text.push('\n');
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
