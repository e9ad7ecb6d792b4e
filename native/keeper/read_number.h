#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace posix_daemon {

// Takes the number that `text` begins with off it.
template <typename Number>
bool TakeNumber(std::string_view* text, Number* number, int base = 10) {
  const auto [rest, error] = std::from_chars(text->data(), text->data() + text->size(), *number, base);
  if (error != std::errc()) return false;
  text->remove_prefix(rest - text->data());
  return true;
}

template <typename Number>
bool ReadNumber(const char* argument, Number* number, int base = 10) {
  std::string_view text = argument;
  return TakeNumber(&text, number, base) && text.empty();
}

template <typename Number>
bool ReadNumber(const char* argument, std::optional<Number>* number, int base = 10) {
  return ReadNumber(argument, &number->emplace(), base);
}

inline bool TakeSeparator(std::string_view* text, char separator) {
  if (text->empty() || text->front() != separator) return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace posix_daemon
