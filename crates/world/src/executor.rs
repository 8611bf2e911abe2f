//! One thread that does one thing after the other, in the order in which they became ready.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Tasks that can be dropped together: those of one process, or those of the world itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group(u32);

impl Group {
    /// The world's own: what goes on whoever dies.
    pub const WORLD: Self = Self(0);

    /// The group of the process that was started as this one, from 1.
    pub const fn of_process(number: u32) -> Self {
        Self(number)
    }
}

/// What one turn of an [`Executor`] did. Closed on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A task of this group ran until it had to wait.
    Waits(Group),
    /// A task of this group came to its end.
    Ended(Group),
    /// Nothing is ready.
    Idle,
}

/// Runs tasks on the thread that calls [`turn`](Self::turn), first come, first served.
#[derive(Debug, Default)]
pub struct Executor {
    tasks: BTreeMap<u64, Task>,
    started: u64,
    spawner: Spawner,
}

/// Where new tasks are handed in. Clones hand in to the same executor.
#[derive(Clone, Default)]
pub struct Spawner(Arc<Queues>);

#[derive(Default)]
struct Queues {
    unborn: Mutex<Vec<(Group, Work)>>,
    ready: Mutex<VecDeque<u64>>,
}

/// What a task does.
struct Work(Pin<Box<dyn Future<Output = ()> + Send>>);

struct Task {
    group: Group,
    work: Work,
    waker: Arc<TaskWaker>,
}

struct TaskWaker {
    number: u64,
    queued: AtomicBool,
    queues: Arc<Queues>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if !self.queued.swap(true, Ordering::SeqCst) {
            self.queues.ready().push_back(self.number);
        }
    }
}

impl Queues {
    fn ready(&self) -> MutexGuard<'_, VecDeque<u64>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unborn(&self) -> MutexGuard<'_, Vec<(Group, Work)>> {
        self.unborn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawner {
    /// Has a task run from the next turn on.
    pub fn spawn(&self, group: Group, work: impl Future<Output = ()> + Send + 'static) {
        self.0.unborn().push((group, Work(Box::pin(work))));
    }
}

impl Executor {
    /// Where to hand in tasks.
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Lets the task that has been ready for longest run until it has to wait.
    pub fn turn(&mut self) -> Turn {
        self.take_in();
        loop {
            let Some(number) = self.spawner.0.ready().pop_front() else { return Turn::Idle };
            let Some(task) = self.tasks.get_mut(&number) else { continue };
            task.waker.queued.store(false, Ordering::SeqCst);
            let (group, waker) = (task.group, Waker::from(Arc::clone(&task.waker)));
            return match task.work.0.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => Turn::Waits(group),
                Poll::Ready(()) => {
                    self.tasks.remove(&number);
                    Turn::Ended(group)
                }
            };
        }
    }

    /// Drops every task of a group where it stands, as the end of a process does.
    pub fn drop_group(&mut self, group: Group) {
        let (dead, living): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.tasks).into_iter().partition(|(_, task)| task.group == group);
        self.tasks = living;
        let unborn = std::mem::take(&mut *self.spawner.0.unborn());
        let (unborn, others): (Vec<_>, Vec<_>) = unborn.into_iter().partition(|(of, _)| *of == group);
        *self.spawner.0.unborn() = others;
        // Dropping wakes others, which may hand in tasks: no lock is held meanwhile.
        drop((dead, unborn));
    }

    /// How many tasks a group has that did not end.
    pub fn count(&self, group: Group) -> usize {
        let unborn = self.spawner.0.unborn().iter().filter(|(of, _)| *of == group).count();
        self.tasks.values().filter(|task| task.group == group).count() + unborn
    }

    fn take_in(&mut self) {
        for (group, work) in std::mem::take(&mut *self.spawner.0.unborn()) {
            self.started += 1;
            let (number, queues) = (self.started, Arc::clone(&self.spawner.0));
            let waker = Arc::new(TaskWaker { number, queued: AtomicBool::new(false), queues });
            self.tasks.insert(number, Task { group, work, waker: Arc::clone(&waker) });
            waker.wake();
        }
    }
}

impl Drop for Executor {
    /// What was handed in and never began may hold the way to hand in more: here that ring is cut.
    fn drop(&mut self) {
        let unborn = std::mem::take(&mut *self.spawner.0.unborn());
        drop(unborn);
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("group", &self.group).finish_non_exhaustive()
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}

/// Lets everybody else who is ready go first, once.
#[derive(Debug, Default)]
pub struct Breath {
    taken: bool,
}

impl Future for Breath {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.taken {
            return Poll::Ready(());
        }
        self.taken = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
