//! Start other programs: each in its own process group, with an allow-list of the environment, a time limit, and its output as a stream.
