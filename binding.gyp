{
  "variables": {
    # Set by this repository's own scripts (GYP_DEFINES). A user's compiler may be newer and warn of more.
    "strict%": 0,
    "sanitize%": 0
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "defines": ["_GNU_SOURCE"],
    "cflags": ["-include", "libc_compat.h", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden", "-O2"],
    "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
    "ldflags": ["-Wl,-z,relro,-z,now"],
    "conditions": [
      ["strict==1", { "cflags": ["-Werror"] }],
      ["sanitize==1", {
        # Undefined behaviour traps, and AddressSanitizer reports the trap: two runtimes don't share a report file.
        "cflags": [
          "-fsanitize=address,undefined", "-fsanitize-undefined-trap-on-error", "-fno-omit-frame-pointer", "-g"
        ],
        "ldflags": ["-fsanitize=address"]
      }]
    ]
  },
  "targets": [
    {
      "target_name": "posix_daemon",
      "sources": [
        "native/addon.cc",
        "native/atfork_handlers.cc",
        "native/errors.cc",
        "native/events.cc",
        "native/descriptor.cc",
        "native/exec.cc",
        "native/fork/arch.cc",
        "native/fork/between.cc",
        "native/fork/descriptors.cc",
        "native/fork/file_watches.cc",
        "native/exec/child.cc",
        "native/exec/inheritance.cc",
        "native/exec/launch.cc",
        "native/exec/plan.cc",
        "native/exec/replace.cc",
        "native/exec/search.cc",
        "native/fork/fork.cc",
        "native/fork/io_uring.cc",
        "native/fork/live_fork.cc",
        "native/fork/lock_owners.cc",
        "native/fork/mappings.cc",
        "native/fork/math_random.cc",
        "native/fork/park.cc",
        "native/fork/pipes.cc",
        "native/fork/placement.cc",
        "native/fork/respawn.cc",
        "native/fork/safe_point.cc",
        "native/fork/standby.cc",
        "native/fork/support.cc",
        "native/fork/survey.cc",
        "native/fork/timers.cc",
        "native/fork/v8_memory.cc",
        "native/libc_compat.cc",
        "native/limits.cc",
        "native/lock.cc",
        "native/loop_streams.cc",
        "native/memfd.cc",
        "native/pidfd.cc",
        "native/prctl.cc",
        "native/random_stores.cc",
        "native/runtime_descriptors.cc",
        "native/session.cc",
        "native/shown_text.cc",
        "native/signals.cc",
        "native/startup_pipes.cc",
        "native/title.cc",
        "native/user_pipes.cc",
        "native/users.cc",
        "native/wait.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # Node-API 9 (Node 18.17, 20.3): one binary serves every supported Node.
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED",
                  # An error thrown in a Worker that is being terminated is dropped instead of aborting the process.
                  "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"]
    },
    {
      # A program of its own, of the C library alone: it takes no function of libstdc++, so --as-needed leaves that out.
      "target_name": "posix_daemon_keeper",
      "product_name": "posix-daemon-keeper",
      "type": "executable",
      "sources": [
        "native/exec/inheritance.cc",
        "native/keeper/file_turn.cc",
        "native/keeper/cgroup.cc",
        "native/keeper/control.cc",
        "native/keeper/descendants.cc",
        "native/keeper/ends.cc",
        "native/keeper/events.cc",
        "native/keeper/explain.cc",
        "native/keeper/foreground.cc",
        "native/keeper/guard.cc",
        "native/keeper/guarded_start.cc",
        "native/keeper/init_mode.cc",
        "native/keeper/keeper.cc",
        "native/keeper/log_file.cc",
        "native/keeper/log_mode.cc",
        "native/keeper/log_open.cc",
        "native/keeper/logs.cc",
        "native/keeper/main.cc",
        "native/keeper/notify_socket.cc",
        "native/keeper/options.cc",
        "native/keeper/pid_file.cc",
        "native/keeper/pool.cc",
        "native/keeper/port.cc",
        "native/keeper/proc.cc",
        "native/keeper/program.cc",
        "native/keeper/pump.cc",
        "native/keeper/report.cc",
        "native/keeper/restart_policy.cc",
        "native/keeper/signals.cc",
        "native/keeper/slot.cc",
        "native/keeper/start_main.cc",
        "native/keeper/status_file.cc",
        "native/keeper/supervision_flags.cc",
        "native/keeper/supervisor.cc",
        "native/keeper/terminal.cc",
        "native/keeper/timestamp.cc",
        "native/keeper/title.cc",
        "native/keeper/tree_mode.cc",
        "native/libc_compat.cc"
      ],
      "cflags_cc": ["-fno-threadsafe-statics", "-Os"],
      "ldflags!": ["-rdynamic"],
      "ldflags": ["-Wl,--as-needed", "-Wl,--gc-sections", "-Wl,--wrap=__libc_start_main"]
    }
  ]
}
