//! A9, A10: the chunked coding. The head has gone up when the defect is met: the request must never look whole.

use super::play::play;
use super::row::{Row, chunks, post};

pub(crate) const BROKEN: &[Row] = &[
    chunks("a10 no size", "|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size that is no number", "g|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size with plus", "+3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size with minus", "-3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size with 0x", "0x3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size with an underscore", "0_3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size behind a space", " 3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size before a space", "3 |abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size before a space and an extension", "3 ;a|abc|0||")
        .refused_in_body("chunk_size_invalid"),
    chunks("a10 size before NUL", "3\0|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size of 17 digits", "{16*0}3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size of 65 bits", "10000000000000003|abc|0||")
        .refused_in_body("chunk_size_invalid"),
    chunks("a10 size that ends with LF", "3\nabc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size that ends with CR", "3\rabc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size that ends with CR CR LF", "3\r|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 two sizes", "3,3|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 size beyond its data", "3|abcd|0||").refused_in_body("chunk_end_invalid"),
    chunks("a10 no line end behind data", "3|abc0||").refused_in_body("chunk_end_invalid"),
    chunks("a10 LF behind data", "3|abc\n0||").refused_in_body("chunk_end_invalid"),
    chunks("a10 CR behind data", "3|abc\r0||").refused_in_body("chunk_end_invalid"),
    chunks("a10 empty line before a size", "3|abc||0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 LF in an extension", "3;a\nb|abc|0||").refused_in_body("chunk_extension_invalid"),
    chunks(
        "a10 a request behind LF in an extension",
        "3;\nabc|0||GET /smuggled HTTP/1.1|Host: evil.test||",
    )
    .refused_in_body("chunk_extension_invalid")
    .never(&["smuggled"]),
    chunks("a10 CR in an extension", "3;a\rb|abc|0||").refused_in_body("chunk_size_invalid"),
    chunks("a10 NUL in an extension", "3;\0|abc|0||").refused_in_body("chunk_extension_invalid"),
    chunks("a10 extension of 257 bytes", "3;{256*a}|abc|0||")
        .refused_in_body("chunk_extension_invalid"),
    chunks("a10 extensions of 17 KiB", "{600*1;xxxxxxxxxxxxxxxxxxxxxxxxxxxx|a|}0||")
        .refused_in_body("chunk_extension_invalid"),
    chunks("a10 extension of the last chunk", "3|abc|0;{256*a}||")
        .refused_in_body("chunk_extension_invalid"),
    chunks("a10 LF behind the last chunk", "0\n|").refused_in_body("chunk_size_invalid"),
    chunks("a10 LF as the end", "0|\n").refused_in_body("trailers_invalid"),
    chunks("a10 CR as the end", "0|\rG").refused_in_body("trailers_invalid"),
    chunks("a10 words as the end", "0|GET /smuggled HTTP/1.1|Host: evil.test||")
        .refused_in_body("trailers_invalid")
        .never(&["smuggled"]),
    chunks("a10 folded trailer", "0|A: b| c||").refused_in_body("trailers_invalid"),
    chunks("a10 trailer without a name", "0|: b||").refused_in_body("trailers_invalid"),
    chunks("a10 trailer with a space", "0|A : b||").refused_in_body("trailers_invalid"),
    chunks("a10 trailer with LF", "0|A: b\nC: d||").refused_in_body("trailers_invalid"),
    chunks("a10 trailer with NUL", "0|A: \0||").refused_in_body("trailers_invalid"),
    chunks("a10 33 trailers", "0|{33*A: b|}|").refused_in_body("trailers_invalid"),
    chunks("a10 trailers of 9 KiB", "0|A: {9000*b}||").refused_in_body("trailers_invalid"),
];

pub(crate) const SOUND: &[Row] = &[
    chunks("a10 extensions go no further", "3;a=\"b\"|abc|0;c||").never(&["a=\"b\"", ";c"]),
    chunks("a10 sizes with zeros are written anew", "0003|abc|000||").never(&["0003"]),
    chunks("a10 no chunk at all", "0||").seen(&["\r\n\r\n0\r\n\r\n"]),
    chunks("a10 four thousand chunks of one byte", "{4000*1|a|}0||").never(&["\r\n1\r\na\r\n1\r\n"]),
    post("a10 trailers that frame, route or identify", "Transfer-Encoding: chunked|Trailer: X-Sum||0|X-Sum: 7|Content-Length: 9|Host: evil.test|Authorization: evil|X-Forwarded-For: 6.6.6.6|X_Sum: evil|X.Sum: evil||")
        .seen(&["x-sum: 7\r\n"])
        .never(&["evil", "6.6.6.6", "content-length"]),
    post("a10 trailers that nobody announced", "Transfer-Encoding: chunked||0|X-Sum: evil||")
        .never(&["evil"]),
];

#[tokio::test]
async fn a10_a_broken_chunk_never_looks_like_the_end_of_a_body() {
    play(BROKEN).await;
}

#[tokio::test]
async fn a10_chunks_are_written_anew() {
    play(SOUND).await;
}
