//! What clients asked of configs, and what they were told.

/// What a config holds: a number that stands for a content, each published once; [`NOTHING`] if there is no config.
pub type Value = u32;

/// There is no config.
pub const NOTHING: Value = 0;

/// What was asked of one config.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Publish a content.
    Publish(Value),
    /// Publish a content if the config has another one, or there is none (as Nacos does).
    Swap {
        /// What it must have, if it exists.
        expected: Value,
        /// What it has then.
        new: Value,
    },
    /// Publish a content if there is no config.
    Create(Value),
    /// Remove it.
    Remove,
    /// Read it, so that everything acknowledged before is seen.
    Read,
}

/// What the answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// None, or one that leaves it open: it may have been done, or may yet be.
    Unknown,
    /// It was published.
    Published,
    /// What the config had was not as demanded.
    Refused,
    /// It was removed; whether there was anything to remove.
    Removed(bool),
    /// What the config has.
    Found(Value),
}

/// One call. Moments are places in the one order of everything that clients saw, each used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who asked, for people who read it.
    pub client: u32,
    /// What was asked.
    pub asked: Asked,
    /// When.
    pub began: u64,
    /// When the answer came. One that leaves it open does not end the call: what it asked for may be done at any time.
    pub ended: u64,
    /// The answer.
    pub answer: Answer,
}

impl Call {
    /// Whether it may still be done after its end.
    pub fn is_open(&self) -> bool {
        self.answer == Answer::Unknown
    }

    /// What the config has after this call, if it may come next while the config has `value`.
    pub fn step(&self, value: Value) -> Option<Value> {
        let wins = |wins: bool, new| match self.answer {
            Answer::Published => wins.then_some(new),
            Answer::Refused => (!wins).then_some(value),
            Answer::Unknown => Some(if wins { new } else { value }),
            Answer::Removed(_) | Answer::Found(_) => None,
        };
        match self.asked {
            Asked::Publish(new) => wins(true, new),
            // A repeated call finds its own content, and that is success.
            Asked::Swap { expected, new } => wins(value == expected || value == NOTHING || value == new, new),
            Asked::Create(new) => wins(value == NOTHING || value == new, new),
            Asked::Remove => match self.answer {
                Answer::Removed(existed) => (existed == (value != NOTHING)).then_some(NOTHING),
                Answer::Unknown => Some(NOTHING),
                Answer::Published | Answer::Refused | Answer::Found(_) => None,
            },
            Asked::Read => match self.answer {
                Answer::Found(found) => (found == value).then_some(value),
                Answer::Unknown => Some(value),
                Answer::Published | Answer::Refused | Answer::Removed(_) => None,
            },
        }
    }
}
