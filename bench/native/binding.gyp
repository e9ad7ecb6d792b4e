{
  # For the benchmarks alone: built by them when they need it, never shipped.
  "targets": [
    {
      "target_name": "bench",
      "sources": ["raw_clone.cc"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "_GNU_SOURCE"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fvisibility=hidden", "-O2"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"]
    }
  ]
}
