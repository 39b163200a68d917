//! The only reader of the wall clock: turns frames of the screen into virtual time.
//!
//! Virtual time never waits for a slow device and never jumps: when the work of a frame does not fit its budget, the cluster runs later,
//! not differently. A hidden tab gets no frames, so time stands still there; the first frame after that counts as a short one.

use playground::{Micros, Playground};

/// How fast virtual time runs, in thousandths of real time: slow motion to 1000x.
pub(crate) const SPEEDS: [u32; 5] = [10, 1_000, 10_000, 100_000, 1_000_000];

/// Work per frame, in milliseconds; the rest of the 16 belongs to drawing.
const BUDGET_MS: f64 = 8.0;
/// A longer gap between frames means that the page was not looked at.
const LONGEST_FRAME_MS: f64 = 100.0;
/// Events between two looks at the clock.
const SLICE: u32 = 64;

/// How time runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Driver {
    pub(crate) is_paused: bool,
    /// In thousandths of real time.
    pub(crate) speed: u32,
    /// Runs as fast as the device can: a scene is being set.
    pub(crate) rushes: bool,
    /// Whether the last frames could not keep the asked speed.
    pub(crate) is_behind: bool,
    last_frame_ms: Option<f64>,
    /// Virtual microseconds owed that are less than one.
    rest: f64,
    slow_frames: u32,
}

impl Default for Driver {
    fn default() -> Driver {
        Driver {
            is_paused: false,
            speed: 1_000,
            rushes: false,
            is_behind: false,
            last_frame_ms: None,
            rest: 0.0,
            slow_frames: 0,
        }
    }
}

impl Driver {
    /// Runs at this speed.
    pub(crate) fn at(speed: u32) -> Driver {
        Driver {
            speed,
            ..Driver::default()
        }
    }

    /// One frame of the screen at wall time `frame_ms`. `wall` reads the clock while working. Returns the milliseconds that this frame
    /// counted for.
    pub(crate) fn frame(
        &mut self,
        frame_ms: f64,
        playground: &mut Playground,
        wall: impl Fn() -> f64,
    ) -> f64 {
        let passed = frame_ms - self.last_frame_ms.unwrap_or(frame_ms);
        self.last_frame_ms = Some(frame_ms);
        let passed = if (0.0..=LONGEST_FRAME_MS).contains(&passed) {
            passed
        } else {
            LONGEST_FRAME_MS / 6.0
        };
        if self.rushes {
            self.rush(playground, &wall);
            return passed;
        }
        if self.is_paused {
            return passed;
        }
        let owed = passed * f64::from(self.speed) + self.rest;
        self.rest = owed.fract();
        let until = playground.now() + owed as Micros;
        let begun = wall();
        let reached = loop {
            let advance = playground.advance(until, SLICE);
            if advance.reached {
                break true;
            }
            if wall() - begun > BUDGET_MS {
                break false;
            }
        };
        self.slow_frames = if reached {
            self.slow_frames.saturating_sub(1)
        } else {
            (self.slow_frames + 2).min(60)
        };
        self.is_behind = self.slow_frames > 30;
        passed
    }

    /// One event, then stillness.
    pub(crate) fn step(&mut self, playground: &mut Playground) {
        self.is_paused = true;
        playground.step();
    }

    /// A tenth of a second at a time, so that a prompt that comes back is soon seen.
    fn rush(&mut self, playground: &mut Playground, wall: &impl Fn() -> f64) {
        let begun = wall();
        let until = playground.now() + 100_000;
        while !playground.advance(until, SLICE).reached && wall() - begun < BUDGET_MS {}
    }
}

/// The wall clock in milliseconds.
pub(crate) fn wall_ms() -> f64 {
    web_sys::window()
        .and_then(|window| window.performance())
        .map_or(0.0, |performance| performance.now())
}

/// The time of day as `14:05`.
pub(crate) fn time_of_day() -> String {
    let date = js_sys::Date::new_0();
    format!("{:02}:{:02}", date.get_hours(), date.get_minutes())
}
