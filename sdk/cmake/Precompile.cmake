# patchbay_precompile(): one precompiled header for the tree, and one for its tests, which are compiled without
# optimisation and need GoogleTest. A third of the time of a build goes into these headers otherwise. Nothing relies on
# them: a file includes what it uses, and the preset release builds without.
set(PATCHBAY_PRECOMPILED
  <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <cstring> <deque> <filesystem> <fstream>
  <functional> <map> <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view> <thread> <unordered_map>
  <variant> <vector> <json/json.h>)

function(patchbay_precompile)
  if(CMAKE_DISABLE_PRECOMPILE_HEADERS)
    return()
  endif()
  patchbay_precompiled_header(patchbay_precompiled "" ${PATCHBAY_PRECOMPILED})
  if(PATCHBAY_BUILD_TESTS)
    patchbay_precompiled_header(patchbay_precompiled_tests -O0 ${PATCHBAY_PRECOMPILED} <gmock/gmock.h> <gtest/gtest.h>)
    target_link_libraries(patchbay_precompiled_tests PRIVATE GTest::gmock)
  endif()
  patchbay_precompile_in(${CMAKE_SOURCE_DIR})
endfunction()

function(patchbay_precompiled_header name options)
  set(source ${CMAKE_BINARY_DIR}/precompiled/${name}.cc)
  file(GENERATE OUTPUT ${source} CONTENT "")
  add_library(${name} OBJECT ${source})
  target_compile_options(${name} PRIVATE ${options})
  target_link_libraries(${name} PRIVATE JsonCpp::JsonCpp Threads::Threads)
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()

function(patchbay_precompile_in directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    patchbay_precompile_target(${target})
  endforeach()
  get_property(subdirectories DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(subdirectory IN LISTS subdirectories)
    patchbay_precompile_in(${subdirectory})
  endforeach()
endfunction()

function(patchbay_precompile_target target)
  get_target_property(type ${target} TYPE)
  get_target_property(sources ${target} SOURCES)
  get_target_property(options ${target} COMPILE_OPTIONS)
  if(type STREQUAL UTILITY OR target MATCHES "^patchbay_precompiled" OR NOT sources MATCHES "\\.cc" OR sources MATCHES "\\.c(;|$)")
    return()
  endif()
  # GCC 12 sees faults in its own headers once they are precompiled.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow>)
  if("-O0" IN_LIST options)
    target_precompile_headers(${target} REUSE_FROM patchbay_precompiled_tests)
  else()
    target_precompile_headers(${target} REUSE_FROM patchbay_precompiled)
  endif()
endfunction()
