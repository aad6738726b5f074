//! May the service take new traffic?
