//! STUB
pub(crate) mod backend;
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {}
pub(crate) fn demo(_: DemoArgs) -> Result<crate::exit::Exit, crate::error::Error> {
    Ok(crate::exit::Exit::Ok)
}
