// What a test says of an action that must fail. For tests with GoogleTest.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "patchbay/error.h"

namespace patchbay::test {

// The message of the Error that the action throws, which must be of this class.
inline std::string failure(const std::function<void()>& action, Code code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "no failure";
}

}  // namespace patchbay::test
