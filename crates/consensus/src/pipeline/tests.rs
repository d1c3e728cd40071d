use super::*;
use crate::entry::{Decoded, decode_whole};
use muster_model::{Monotonic, Now};
use muster_runtime::ManualClock;

/// An engine that keeps entries until the test settles them.
#[derive(Default)]
struct Engine {
    taken: Mutex<VecDeque<Batch>>,
    is_stopped: bool,
    /// Loses what it takes.
    is_leaky: bool,
}

impl Submit for Engine {
    fn submit(&self, batch: Batch) -> bool {
        if !self.is_stopped && !self.is_leaky {
            self.taken.lock().push_back(batch);
        }
        !self.is_stopped
    }
}

impl Engine {
    /// The operations of the oldest entry, answered with themselves.
    fn answer(&self) -> Vec<Bytes> {
        let batch = self.taken.lock().pop_front().expect("an entry is in flight");
        let Ok(Decoded::Operations { ops, .. }) = decode_whole(&batch.payload) else { panic!("operations") };
        let ops: Vec<Bytes> = ops.into_iter().map(|operation| operation.op).collect();
        batch.waiters.expect("it was proposed here").answer(7, ops.iter().cloned().map(Some).collect());
        ops
    }

    fn in_flight(&self) -> usize {
        self.taken.lock().len()
    }
}

fn pipeline(settings: Settings) -> (Arc<Pipeline>, Arc<Engine>) {
    let clock = ManualClock::at(Now { wall: Timestamp(1_000), mono: Monotonic(1) });
    let pipeline = Pipeline::new(settings, Arc::new(clock), status());
    let engine = Arc::new(Engine::default());
    pipeline.open(engine.clone());
    (pipeline, engine)
}

fn status() -> Arc<Status> {
    Arc::new(Status::new(Arc::new(|text: &str| panic!("{text}"))))
}

fn id(number: u64) -> RequestId {
    RequestId { session: 1, number }
}

fn applied(text: &str) -> Result<Applied, ProposeError> {
    Ok(Applied { index: 7, result: op(text) })
}

fn op(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[test]
fn a_lone_operation_goes_at_once_and_later_ones_are_collected() {
    let (pipeline, engine) = pipeline(Settings::default());
    let results: Vec<_> = ["a", "b", "c", "d"].map(|text| pipeline.push(id(0), op(text)).unwrap()).into();
    assert_eq!(engine.in_flight(), 2, "two entries are in flight");
    assert_eq!(engine.answer(), [op("a")]);
    assert_eq!(engine.in_flight(), 2, "the next left when the first was settled");
    assert_eq!(engine.answer(), [op("b")]);
    assert_eq!(engine.answer(), [op("c"), op("d")], "collected in order");
    let got: Vec<_> = results.into_iter().map(|mut result| result.try_recv().unwrap()).collect();
    assert_eq!(got, ["a", "b", "c", "d"].map(applied));
    assert_eq!(pipeline.queued_bytes(), 0);
}

#[test]
fn entries_are_bounded_in_operations_and_bytes_and_a_large_one_goes_alone() {
    let settings =
        Settings { entry_ops_max: 3, entry_bytes_max: 10, entries_in_flight_max: 1, ..Settings::default() };
    let (pipeline, engine) = pipeline(settings);
    let sizes = [1, 1, 1, 1, 1, 6, 6, 30, 2];
    let _results: Vec<_> =
        sizes.iter().map(|size| pipeline.push(id(0), Bytes::from(vec![0; *size])).unwrap()).collect();
    let mut entries = Vec::new();
    while engine.in_flight() > 0 {
        entries.push(engine.answer().iter().map(Bytes::len).collect::<Vec<_>>());
    }
    assert_eq!(entries, [vec![1], vec![1, 1, 1], vec![1, 6], vec![6], vec![30], vec![2]]);
}

#[test]
fn a_full_queue_refuses_and_takes_again_when_there_is_room() {
    let settings = Settings { queue_bytes_max: 2 * (100 + OP_OVERHEAD), ..Settings::default() };
    let (pipeline, engine) = pipeline(settings);
    let large = || Bytes::from(vec![0; 100]);
    let _first = pipeline.push(id(0), large()).unwrap();
    let _second = pipeline.push(id(0), large()).unwrap();
    assert!(matches!(pipeline.push(id(0), large()), Err(ProposeError::Overloaded { queued_bytes: 456 })));
    engine.answer();
    assert!(pipeline.push(id(0), large()).is_ok());
}

#[test]
fn a_stopped_engine_fails_everything_and_closes() {
    let pipeline = Pipeline::new(Settings::default(), Arc::new(ManualClock::default()), status());
    assert!(matches!(pipeline.push(id(0), op("early")), Err(ProposeError::Unavailable("starting"))));
    pipeline.open(Arc::new(Engine { is_stopped: true, ..Engine::default() }));
    let mut result = pipeline.push(id(0), op("a")).unwrap();
    assert!(matches!(result.try_recv(), Ok(Err(ProposeError::Unavailable(_)))));
    assert!(matches!(pipeline.push(id(0), op("b")), Err(ProposeError::Unavailable("consensus has stopped"))));
    assert_eq!((pipeline.queued_bytes(), pipeline.in_flight()), (0, 0));
}

#[tokio::test]
async fn draining_finishes_what_was_taken_and_refuses_the_rest() {
    let (pipeline, engine) = pipeline(Settings { entries_in_flight_max: 1, ..Settings::default() });
    let first = pipeline.push(id(0), op("a")).unwrap();
    let second = pipeline.push(id(0), op("b")).unwrap();
    let mut drained = std::pin::pin!(pipeline.drain());
    assert!(drained.as_mut().now_or_never().is_none());
    assert!(matches!(pipeline.push(id(0), op("c")), Err(ProposeError::Unavailable("shutting down"))));
    engine.answer();
    assert!(drained.as_mut().now_or_never().is_none());
    engine.answer();
    drained.await;
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (applied("a"), applied("b")));
}

#[test]
fn an_entry_that_gets_lost_is_reported_as_unknown() {
    let (pipeline, engine) = pipeline(Settings::default());
    let mut result = pipeline.push(id(0), op("a")).unwrap();
    engine.taken.lock()[0].waiters.as_ref().unwrap().logged();
    engine.taken.lock().clear();
    assert_eq!(result.try_recv(), Ok(Err(ProposeError::Timeout)));
    assert_eq!(pipeline.in_flight(), 0);
}

#[test]
fn an_entry_that_is_refused_before_the_log_has_it_was_not_written() {
    let (pipeline, engine) = pipeline(Settings::default());
    let mut result = pipeline.push(id(0), op("a")).unwrap();
    engine.taken.lock().clear();
    assert_eq!(result.try_recv(), Ok(Err(ProposeError::NotLeader { leader: None })));
    assert_eq!(pipeline.in_flight(), 0);
}

#[test]
fn an_engine_that_ends_while_it_takes_an_entry_locks_nothing_up() {
    let pipeline = Pipeline::new(Settings::default(), Arc::new(ManualClock::default()), status());
    pipeline.open(Arc::new(Engine { is_leaky: true, ..Engine::default() }));
    let mut result = pipeline.push(id(0), op("a")).unwrap();
    assert_eq!(result.try_recv(), Ok(Err(ProposeError::NotLeader { leader: None })));
    assert_eq!((pipeline.queued_bytes(), pipeline.in_flight()), (0, 0));
}

#[test]
fn what_is_pushed_together_goes_together() {
    let (pipeline, engine) = pipeline(Settings::default());
    let pushed = pipeline.push_all(["a", "b", "c"].into_iter().map(|text| (id(1), op(text))));
    assert_eq!(engine.answer(), ["a", "b", "c"].map(op));
    let got: Vec<_> = pushed.into_iter().map(|result| result.unwrap().try_recv().unwrap()).collect();
    assert_eq!(got, ["a", "b", "c"].map(applied));
}
