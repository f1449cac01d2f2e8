//! A cell that runs, or is on its way out, and the place that it takes.

use std::time::Duration;

use super::admission::Place;
use crate::cell::Cell;

/// How long the end of a cell waits once its run is answered. To tear a process down keeps a
/// processor for about a millisecond, in which the kernel lets nobody else on it: the answer's way
/// to the client goes first.
const DEFERENCE: Duration = Duration::from_millis(1);

/// However this is dropped, the cell is ended, and only then is its place free.
#[derive(Debug)]
pub(super) struct Running {
    // Both are `None` only while `finish` and `drop` take them out.
    cell: Option<Cell>,
    place: Option<Place>,
    answered: bool,
    deference: Duration,
}

impl Running {
    pub(super) fn new(cell: Cell, place: Place) -> Self {
        Self {
            cell: Some(cell),
            place: Some(place),
            answered: false,
            deference: Duration::ZERO,
        }
    }

    pub(super) fn cell(&mut self) -> &mut Cell {
        match &mut self.cell {
            Some(cell) => cell,
            None => unreachable!("the cell is taken out by `finish` and `drop` only"),
        }
    }

    /// Notes that the run has its outcome, so that clearing up can wait a moment: unless its place is
    /// wanted.
    pub(super) fn answered(&mut self, wanted: bool) {
        self.answered = true;
        if !wanted {
            self.deference = DEFERENCE;
        }
    }

    /// Ends the cell and gives its place back for another try.
    pub(super) async fn finish(mut self) -> Place {
        if let Some(cell) = &mut self.cell {
            cell.end().await;
        }
        self.cell = None;
        match self.place.take() {
            Some(place) => place,
            None => unreachable!("the place is taken out by `finish` and `drop` only"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (Some(cell), place) = (self.cell.take(), self.place.take()) else {
            return;
        };
        let (answered, deference) = (self.answered, self.deference);
        if !answered {
            cell.terminate();
        }
        tokio::spawn(async move {
            if !deference.is_zero() {
                tokio::time::sleep(deference).await;
            }
            let mut life = cell.hang_up();
            if answered {
                life.end_itself().await;
            } else {
                life.end().await;
            }
            // What a run left to be cleared up is done in its own place.
            life.clear_up().await;
            drop(place);
        });
    }
}
