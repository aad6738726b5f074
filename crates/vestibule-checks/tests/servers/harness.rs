//! The servers of the other tests: they start, answer, and leave nothing behind.

use crate::postgres_server::Postgres;
use crate::redis_server::Redis;

#[tokio::test]
async fn real_servers_start_answer_and_leave_nothing() {
    let (mut postgres, mut redis) = tokio::join!(Postgres::start(""), Redis::start(""));
    assert_eq!(postgres.sql("SELECT 1"), "1");
    assert_eq!(redis.session().ask("PING"), "+PONG");
    let folders = [postgres.daemon().folder().to_owned(), redis.daemon().folder().to_owned()];
    postgres.stop();
    redis.kill();
    drop((postgres, redis));
    assert!(folders.iter().all(|folder| !folder.exists()));
}
