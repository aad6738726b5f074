//! Why a try failed.
//!
//! Owns the closed list of reasons: their words, how they are retried, and what to do about each. Must never
//! carry a text from outside.

/// How a reason is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// It may pass by itself: tried again in the same pass.
    Transient,
    /// Each try makes it worse: tried again, with the longest pauses.
    Overloaded,
    /// It stays until somebody changes something: one try in a pass is enough.
    Configuration,
    /// The check is broken, not what it asks: one try in a pass is enough.
    Defect,
}

/// Why a try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody listens there.
    Refused,
    /// No way to that address.
    Unreachable,
    /// No connection in time.
    ConnectTimeout,
    /// A connection, but no answer in time.
    Silent,
    /// The connection broke off.
    Reset,
    /// The name does not exist.
    NameNotFound,
    /// The name could not be resolved.
    DnsFailed,
    /// The answer is of another protocol.
    Protocol,
    /// The answer is larger than a check reads.
    TooLarge,
    /// Nobody whom we trust signed its certificate.
    TlsUnknownCa,
    /// Its certificate has expired.
    TlsExpired,
    /// Its certificate is not valid yet.
    TlsNotYetValid,
    /// Its certificate is for another name.
    TlsWrongName,
    /// No TLS session.
    TlsFailed,
    /// It is starting.
    StartingUp,
    /// It is going away.
    ShuttingDown,
    /// It takes no more connections.
    Overloaded,
    /// It is busy with something long.
    Busy,
    /// User, password or token are wrong, or missing.
    WrongCredentials,
    /// The user may not do that.
    NotPermitted,
    /// There is no such database.
    NoSuchDatabase,
    /// It answered the query by an error.
    QueryFailed,
    /// It takes no writes.
    ReadOnly,
    /// A replica that has lost its primary.
    MasterDown,
    /// It asks its clients to leave.
    LameDuck,
    /// It runs without JetStream.
    NoJetStream,
    /// There is no such stream.
    NoSuchStream,
    /// It says itself that it is not ready.
    NotServing,
    /// It does not know the service asked for.
    UnknownService,
    /// An HTTP status other than the one wanted.
    Status,
    /// The answer's body is not what is wanted.
    BodyMismatch,
    /// Its certificate expires too soon.
    ExpiresSoon,
    /// The key set has no key that could be used.
    NoUsableKey,
    /// There is no such file, or not of the kind wanted.
    NoFile,
    /// The command ended with another status than 0.
    CommandFailed,
    /// The command could not be started.
    NotStarted,
    /// This machine could not even ask.
    OutOfResources,
    /// The try had no more time.
    TimedOut,
    /// The check itself broke.
    Panicked,
    /// Something else.
    Other,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 40] = [
        Self::Refused,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::Silent,
        Self::Reset,
        Self::NameNotFound,
        Self::DnsFailed,
        Self::Protocol,
        Self::TooLarge,
        Self::TlsUnknownCa,
        Self::TlsExpired,
        Self::TlsNotYetValid,
        Self::TlsWrongName,
        Self::TlsFailed,
        Self::StartingUp,
        Self::ShuttingDown,
        Self::Overloaded,
        Self::Busy,
        Self::WrongCredentials,
        Self::NotPermitted,
        Self::NoSuchDatabase,
        Self::QueryFailed,
        Self::ReadOnly,
        Self::MasterDown,
        Self::LameDuck,
        Self::NoJetStream,
        Self::NoSuchStream,
        Self::NotServing,
        Self::UnknownService,
        Self::Status,
        Self::BodyMismatch,
        Self::ExpiresSoon,
        Self::NoUsableKey,
        Self::NoFile,
        Self::CommandFailed,
        Self::NotStarted,
        Self::OutOfResources,
        Self::TimedOut,
        Self::Panicked,
        Self::Other,
    ];

    /// The word in metrics and documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect_timeout",
            Self::Silent => "silent",
            Self::Reset => "reset",
            Self::NameNotFound => "name_not_found",
            Self::DnsFailed => "dns_failed",
            Self::Protocol => "protocol",
            Self::TooLarge => "too_large",
            Self::TlsUnknownCa => "tls_unknown_ca",
            Self::TlsExpired => "tls_expired",
            Self::TlsNotYetValid => "tls_not_yet_valid",
            Self::TlsWrongName => "tls_wrong_name",
            Self::TlsFailed => "tls_failed",
            Self::StartingUp => "starting_up",
            Self::ShuttingDown => "shutting_down",
            Self::Overloaded => "overloaded",
            Self::Busy => "busy",
            Self::WrongCredentials => "wrong_credentials",
            Self::NotPermitted => "not_permitted",
            Self::NoSuchDatabase => "no_such_database",
            Self::QueryFailed => "query_failed",
            Self::ReadOnly => "read_only",
            Self::MasterDown => "master_down",
            Self::LameDuck => "lame_duck",
            Self::NoJetStream => "no_jetstream",
            Self::NoSuchStream => "no_such_stream",
            Self::NotServing => "not_serving",
            Self::UnknownService => "unknown_service",
            Self::Status => "status",
            Self::BodyMismatch => "body_mismatch",
            Self::ExpiresSoon => "expires_soon",
            Self::NoUsableKey => "no_usable_key",
            Self::NoFile => "no_file",
            Self::CommandFailed => "command_failed",
            Self::NotStarted => "not_started",
            Self::OutOfResources => "out_of_resources",
            Self::TimedOut => "timed_out",
            Self::Panicked => "panicked",
            Self::Other => "other",
        }
    }

    /// How it is retried.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Overloaded => Class::Overloaded,
            Self::NameNotFound
            | Self::Protocol
            | Self::TooLarge
            | Self::TlsUnknownCa
            | Self::TlsExpired
            | Self::TlsNotYetValid
            | Self::TlsWrongName
            | Self::TlsFailed
            | Self::WrongCredentials
            | Self::NotPermitted
            | Self::NoSuchDatabase
            | Self::NoJetStream
            | Self::NoSuchStream
            | Self::UnknownService
            | Self::ExpiresSoon
            | Self::NotStarted => Class::Configuration,
            Self::Panicked => Class::Defect,
            _ => Class::Transient,
        }
    }

    /// What an operator can do about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Refused => "nobody listens there: is it started, and is the port right?",
            Self::Unreachable => "no route to that address: see network, firewall, VPC connector",
            Self::ConnectTimeout => {
                "no connection in time: a firewall that drops, or a full accept queue"
            }
            Self::Silent => {
                "it accepts but does not answer: it hangs, or something else listens there"
            }
            Self::Reset => "the connection broke off: see its log",
            Self::NameNotFound => {
                "the name does not exist: is it spelt right, and in this network's DNS?"
            }
            Self::DnsFailed => "the resolver failed: see /etc/resolv.conf and the DNS server",
            Self::Protocol => {
                "something else answers there: is the port right, and TLS where it is wanted?"
            }
            Self::TooLarge => "the answer is larger than a check reads: ask for something small",
            Self::TlsUnknownCa => "set ca_file to the certificate that signed it",
            Self::TlsExpired => "renew its certificate",
            Self::TlsNotYetValid => "see this machine's clock, or wait",
            Self::TlsWrongName => "use the name that its certificate is for",
            Self::TlsFailed => "does it speak TLS there, in a version that we do?",
            Self::StartingUp => "it is starting: wait",
            Self::ShuttingDown => "it is going away: wait for its successor",
            Self::Overloaded => "it takes no more connections: raise its limit, or use fewer",
            Self::Busy => "it is busy with a script or a lock: wait, or end that",
            Self::WrongCredentials => "see user, password or token",
            Self::NotPermitted => "grant this user what the check asks",
            Self::NoSuchDatabase => "create the database, or correct its name",
            Self::QueryFailed => {
                "run the query by hand, as the same user: a migration may be missing"
            }
            Self::ReadOnly => {
                "it is a replica or in recovery: use the primary's address, or wait for the switch"
            }
            Self::MasterDown => "its primary is down: wait for the failover",
            Self::LameDuck => "it is being stopped: use another server of the cluster",
            Self::NoJetStream => "start it with JetStream, or leave that out of the check",
            Self::NoSuchStream => "create the stream, or correct its name",
            Self::NotServing => "it says itself that it is not ready: see its own checks",
            Self::UnknownService => "see the name of the service",
            Self::Status => "see what that path answers, and why",
            Self::BodyMismatch => "see what that path answers",
            Self::ExpiresSoon => "renew its certificate",
            Self::NoUsableKey => {
                "see the key set: at least one key for signatures with a known type"
            }
            Self::NoFile => "is it mounted, and is the path right?",
            Self::CommandFailed => "run the command by hand",
            Self::NotStarted => "is it installed, and may it be executed?",
            Self::OutOfResources => "raise ulimit -n, or see memory",
            Self::TimedOut => "give it longer by its timeout, or see why it is slow",
            Self::Panicked => "a defect of the check: please report it",
            Self::Other => "see the detail",
        }
    }
}

#[cfg(test)]
mod tests {
    //! Breaks the promise that each reason has its own word.

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_reason_has_its_own_word_and_says_what_to_do() {
        let words: BTreeSet<_> = Reason::ALL.into_iter().map(Reason::as_str).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        assert!(Reason::ALL.into_iter().all(|reason| !reason.advice().is_empty()));
    }
}
