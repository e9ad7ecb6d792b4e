#pragma once

namespace posix_daemon {

// Ends this process as another one has ended: with its exit code, or by its signal and without a core. Answers the exit
// code with which main() has to return where the signal doesn't kill, as for the first process of a container.
int EndAs(int wait_status);

// The code of env, nohup and their like for a program that could not be started.
int FailureCode(const char* step, int error);

}  // namespace posix_daemon
