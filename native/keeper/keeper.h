#pragma once

#include <sys/signalfd.h>
#include <sys/types.h>

#include <cstdint>

#include "logs.h"
#include "options.h"
#include "pid_file.h"
#include "report.h"
#include "status_file.h"

namespace posix_daemon {

// Starts one program, stays until it has ended, and records that.
class Keeper {
 public:
  explicit Keeper(const Options& options);

  // The keeper's exit code, once all is over.
  int Run();

 private:
  enum class Phase {
    kLaunching,  // the child is on its way to the program
    kProving,    // the program has to stay up for a while before it counts as started
    kRunning,    // the starter has been told
  };

  bool Prepare();
  bool Start();
  void Wait();
  void OnSignals();
  void OnSignal(const signalfd_siginfo& info);
  void PassOn(int signal);
  void OnLaunched();
  void OnExecuted();
  void ReportReady();
  void Abandon();
  void Reap();
  int End();
  bool Fail(int error, const char* step, const char* path);

  const Options& options_;
  Logs logs_;
  PidFile pid_file_;
  StatusFile status_file_;
  Report report_;
  Phase phase_ = Phase::kLaunching;
  int signal_fd_ = -1;
  int failure_fd_ = -1;
  pid_t pid_ = -1;
  // What came before the program could take it.
  uint64_t held_signals_ = 0;
  uint64_t ready_at_ms_ = 0;
  // Somebody asked for the end.
  bool asked_ = false;
  // The start has failed, or nobody waits for it any more: nothing may be left of it.
  bool abandoned_ = false;
  struct {
    int error;
    const char* step;
    const char* path;
  } failure_ = {0, "", ""};
  bool ended_ = false;
  int wait_status_ = 0;
};

}  // namespace posix_daemon
