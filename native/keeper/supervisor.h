// Starts programs, each under a guard, and starts them again when they end: the watchdog of programs that know nothing
// of it.
#pragma once

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/types.h>

#include <cstdint>

#include "events.h"
#include "logs.h"
#include "options.h"
#include "pid_file.h"
#include "report.h"
#include "slot.h"
#include "status_file.h"

namespace posix_daemon {

class Supervisor {
 public:
  explicit Supervisor(const Options& options);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // This process's exit code, once all is over.
  int Run();

 private:
  // What a signal is meant for: the program alone, or its whole process group, as a terminal has it.
  enum class Reach { kProgram, kGroup };

  // supervisor.cc: what comes from outside.
  bool Prepare();
  bool MakePool();
  void Wait();
  void HearSlot(int fd);
  void OnSignals();
  void OnSignal(const signalfd_siginfo& info);
  bool IsEcho(int signal);
  bool ParentIsGone() const;
  void OnParentGone();
  void Abandon();
  bool Fail(int error, const char* step, const char* path);
  int End();

  // terminal.cc
  static bool HasTerminal();
  void OnTerminalStop();
  void OnHangUp();
  bool IsHangUp(bool from_terminal) const;

  // control.cc
  void OnControl();
  void Obey(const char* command);

  // pool.cc: which programs are to run.
  bool IsOver() const;
  void StartDue();
  void Start(Slot* slot);
  void Stop(int signal, Reach reach);
  void KillAll();
  void PassOn(int signal, Reach reach);
  void ForgiveSilence();
  static void Send(const Slot& slot, int signal, Reach reach);
  void Resize(int workers);
  void DropRetired();
  void RestartAll();
  void ContinueRestart();
  void Ask(Slot* slot, Reason reason);
  void Ask(Slot* slot, Reason reason, int signal, Reach reach);
  void EndGuard(Slot* slot);
  void Enforce();
  void Look(Slot* slot);
  uint64_t NextDeadline() const;

  // ends.cc: what a program and its guard tell, and their ends.
  void Hear(Slot* slot);
  void OnStarted(Slot* slot, pid_t program);
  void OnProgramEnd(Slot* slot);
  void OnExecuted(Slot* slot);
  void OnReady(Slot* slot);
  bool AreReady() const;
  void HearProgram(Slot* slot);
  void Reap();
  void OnGuardEnd(Slot* slot);
  void OnEnd(Slot* slot);
  int64_t Next(Slot* slot) const;
  void CleanUp();
  int WriteStatus();

  // explain.cc
  void Explain(const Slot& slot, int64_t next);

  int index_of(const Slot* slot) const { return static_cast<int>(slot - slots_) + 1; }

  const Options& options_;
  const SupervisionOptions& supervision_;
  Logs logs_;
  PidFile pid_file_;
  StatusFile status_file_;
  Report report_;
  Events events_;
  int signal_fd_ = -1;
  // It was started on one.
  const bool had_terminal_;
  int control_fd_ = -1;
  // For all programs, one after another.
  int streams_[2] = {-1, -1};
  // The first `wanted_`, and those behind them whose programs have not yet ended.
  Slot* slots_ = nullptr;
  int slot_count_ = 0;
  int wanted_ = 0;
  pollfd* polled_ = nullptr;
  // All were ready once, and the starter knows it.
  bool started_ = false;
  bool stopping_ = false;
  // Somebody asked for the end; and the last signal that did.
  bool asked_ = false;
  int end_signal_ = 0;
  uint64_t end_signal_at_ = 0;
  // A program has ended before all were ready.
  bool start_failed_ = false;
  // The start has failed, or nobody waits for it any more.
  bool abandoned_ = false;
  struct {
    int error;
    const char* step;
    const char* path;
  } failure_ = {0, "", ""};
  // What a killed guard has left behind is being killed.
  uint64_t clean_until_ = 0;
  Slot* restarting_ = nullptr;
  // Of the last program that ended, for who ends as it did.
  int last_wait_status_ = 0;
  char command_[64] = "";
  size_t command_length_ = 0;
};

int RunSupervisor(const Options& options);

}  // namespace posix_daemon
