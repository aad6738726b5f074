//! A model behind an endpoint that speaks OpenAI's streamed chat completions.
//!
//! Owns that client and its patience. Must never log the key, a prompt or an answer, and must never ask again once a
//! part of the answer has come.

mod answer;
mod question;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;
use vestibule::backoff::Backoff;

use self::answer::Answer;
use super::sse::Reader;
use super::{Model, ModelError, Piece, Turn};
use crate::settings::Endpoint;

/// How often a question is asked before a part of its answer has come.
const TRIES: u32 = 3;
/// The event behind the last chunk of an answer.
const DONE: &[u8] = b"[DONE]";
/// Between two tries.
const AGAIN: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(8))
    .with_floor(Duration::from_millis(100));
/// The most that is read of one answer, in bytes: each word comes in an event of some hundred.
const ANSWER_MAX: usize = 16 * 1024 * 1024;
/// The longest `Retry-After` that is waited for.
const AGAIN_MAX: Duration = Duration::from_secs(10);

/// How long an endpoint may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until the answer begins, and between two of its parts.
    pub silence: Duration,
    /// Until the answer is whole.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(300),
        }
    }
}

/// The model.
pub struct OpenAi {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    url: Url,
    name: String,
    patience: Patience,
}

impl OpenAi {
    /// A client for this endpoint.
    ///
    /// # Errors
    ///
    /// The key can't stand in a header, or the address can't have a path, or there is no TLS.
    pub fn new(endpoint: Endpoint, patience: Patience) -> Result<Self, ModelError> {
        // Without it the client could not be built, whatever the scheme.
        super::prepare_tls();
        let mut headers = HeaderMap::new();
        if let Some(key) = endpoint.key {
            let mut value = HeaderValue::try_from(format!("Bearer {key}"))
                .map_err(|_| ModelError::Setup("MODEL_API_KEY can't stand in a header".into()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = Client::builder()
            .default_headers(headers)
            .connect_timeout(patience.connect)
            // The key goes nowhere else.
            .redirect(redirect::Policy::none())
            .build()
            .map_err(|_| ModelError::Setup("a client can't be made".into()))?;
        let mut url = endpoint.url;
        url.path_segments_mut()
            .map_err(|()| ModelError::Setup("MODEL_URL can't have a path".into()))?
            .pop_if_empty()
            .extend(["chat", "completions"]);
        Ok(Self { shared: Arc::new(Shared { client, url, name: endpoint.name, patience }) })
    }
}

impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.shared.name
    }

    fn respond(&self, turn: Turn) -> BoxStream<'static, Result<Piece, ModelError>> {
        let shared = Arc::clone(&self.shared);
        let asking = async move {
            let until = Instant::now() + shared.patience.whole;
            match shared.ask(&turn, until).await {
                Ok(response) => Reading::begin(response, shared.patience.silence, until).pieces(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(asking).flatten().boxed()
    }
}

impl Shared {
    /// Asks until an answer begins.
    async fn ask(&self, turn: &Turn, until: Instant) -> Result<Response, ModelError> {
        let body = question::body(&self.name, turn);
        let mut tries = 0;
        loop {
            let sent = self.client.post(self.url.clone()).json(&body).send();
            let late = until.min(Instant::now() + self.patience.silence);
            let (error, pause) = match timeout_at(late, sent).await {
                // It has the question: to ask anew would double its work, and the wait.
                Err(_late) => return Err(unavailable("no answer in time")),
                Ok(Err(error)) => (unavailable(kind(&error)), None),
                Ok(Ok(response)) => match refusal(response.status()) {
                    None if is_document(&response) => {
                        return Err(misunderstood("a document where a stream was asked for"));
                    }
                    None => return Ok(response),
                    Some(error @ ModelError::Unavailable(_)) => (error, retry_after(&response)),
                    Some(error) => return Err(error),
                },
            };
            tries += 1;
            let pause = pause.unwrap_or_else(|| AGAIN.delay(tries - 1, fastrand::f64()));
            if tries >= TRIES || Instant::now() + pause >= until {
                return Err(error);
            }
            sleep(pause).await;
        }
    }
}

/// An answer that is being read.
struct Reading {
    response: Response,
    events: Reader,
    answer: Answer,
    silence: Duration,
    until: Instant,
    /// How many more bytes it may have.
    room: usize,
    /// Whether it has ended or failed.
    is_over: bool,
}

impl Reading {
    fn begin(response: Response, silence: Duration, until: Instant) -> Self {
        let (events, answer) = (Reader::default(), Answer::default());
        Self { response, events, answer, silence, until, room: ANSWER_MAX, is_over: false }
    }

    fn pieces(self) -> BoxStream<'static, Result<Piece, ModelError>> {
        let next = async |mut reading: Self| {
            if reading.is_over {
                return None;
            }
            let mut pieces = Vec::new();
            // What came before a mistake is told, however the network has cut it.
            let read = reading.next(&mut pieces).await;
            let mut pieces: Vec<Result<Piece, ModelError>> = pieces.into_iter().map(Ok).collect();
            if let Err(error) = read {
                reading.is_over = true;
                pieces.push(Err(error));
            }
            Some((stream::iter(pieces), reading))
        };
        stream::unfold(self, next).flatten().boxed()
    }

    /// What the next bytes bring.
    async fn next(&mut self, pieces: &mut Vec<Piece>) -> Result<(), ModelError> {
        let until = self.until.min(Instant::now() + self.silence);
        let bytes = match timeout_at(until, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => bytes,
            // Some servers say why they finished, and then nothing more.
            _ if self.answer.is_finished() => return self.finish(pieces),
            Ok(Ok(None)) => return Err(unavailable("the answer broke off")),
            Ok(Err(error)) => return Err(unavailable(kind(&error))),
            Err(_late) => return Err(unavailable("the answer stopped")),
        };
        let room = self.room.checked_sub(bytes.len());
        self.room = room.ok_or_else(|| misunderstood("an answer without an end"))?;
        let mut events = Vec::new();
        let read = self.events.read(&bytes, &mut events);
        for event in events {
            if event == DONE {
                return self.finish(pieces);
            }
            self.answer.event(&event, pieces)?;
        }
        read.map_err(|_| misunderstood("an event without an end"))
    }

    fn finish(&mut self, pieces: &mut Vec<Piece>) -> Result<(), ModelError> {
        self.is_over = true;
        self.answer.finish(pieces)
    }
}

/// What a status says, if it is not the beginning of an answer.
fn refusal(status: StatusCode) -> Option<ModelError> {
    let said = || format!("status {}", status.as_u16());
    match status {
        StatusCode::OK => None,
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS => {
            Some(unavailable(&said()))
        }
        status if status.is_server_error() => Some(unavailable(&said())),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Some(ModelError::Setup(format!("{}: MODEL_API_KEY is refused", said())))
        }
        StatusCode::NOT_FOUND => Some(ModelError::Setup(format!(
            "{}: MODEL_URL or MODEL_NAME is not known there",
            said()
        ))),
        _ => Some(ModelError::Setup(format!("{}: the endpoint refuses the question", said()))),
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(AGAIN_MAX))
}

/// The kind of an error, never its text: that may have the address in it.
fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no answer in time"
    } else {
        "the connection broke"
    }
}

/// Whether it is JSON: who does not know `stream` answers so.
fn is_document(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/json"))
}

fn misunderstood(said: &str) -> ModelError {
    ModelError::Misunderstood(said.to_owned())
}

fn unavailable(said: &str) -> ModelError {
    ModelError::Unavailable(said.to_owned())
}
