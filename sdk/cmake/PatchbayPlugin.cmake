# patchbay_add_plugin(NAME
#   SOURCES  a.cc ...        the module's own files; one of them holds PATCHBAY_PLUGIN(...)
#   LIBRARIES target ...     beyond patchbay::sdk
#   TESTS    a_test.cc ...   GoogleTest files, linked with the module's sources and patchbay::testing
#   TEST_LIBRARIES target .. beyond those
#   MANIFEST path            default: NAME.json beside the CMakeLists.txt, else manifests/NAME.json of the source tree
#   TESTING                  for tests only: into tests/plugins of the build tree, the manifest beside it, not installed
# )
# Sources may be C as well.
# Builds plugins/NAME.so with its one export, puts the manifest into manifests/NAME.json of the build tree, runs the
# conformance suite on the built file, and installs both as the component patchbay-plugin-NAME.
# Used by this tree and, through find_package(patchbay), by others.
include(GNUInstallDirs)
set(PATCHBAY_PLUGIN_VERSION_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/plugin.map)

function(patchbay_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "TESTING" "MANIFEST" "SOURCES;LIBRARIES;TESTS;TEST_LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS OR arg_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "patchbay_add_plugin(${name}): unknown or empty: "
                        "${arg_UNPARSED_ARGUMENTS} ${arg_KEYWORDS_MISSING_VALUES}")
  endif()
  if(NOT arg_MANIFEST AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.json)
    set(arg_MANIFEST ${CMAKE_CURRENT_SOURCE_DIR}/${name}.json)
  elseif(NOT arg_MANIFEST)
    set(arg_MANIFEST ${CMAKE_SOURCE_DIR}/manifests/${name}.json)
  endif()
  patchbay_read_manifest(${name} ${arg_MANIFEST} version)
  set(plugin_dir ${CMAKE_BINARY_DIR}/plugins)
  set(manifest_dir ${CMAKE_BINARY_DIR}/manifests)
  if(arg_TESTING)
    set(plugin_dir ${CMAKE_BINARY_DIR}/tests/plugins)
    set(manifest_dir ${plugin_dir})
  endif()

  add_library(${name}_plugin_objects OBJECT ${arg_SOURCES})
  target_compile_definitions(${name}_plugin_objects PRIVATE
    PATCHBAY_PLUGIN_ID="${name}" PATCHBAY_PLUGIN_VERSION="${version}")
  target_link_libraries(${name}_plugin_objects PUBLIC patchbay::sdk ${arg_LIBRARIES})
  if(NOT patchbay_SOURCE_DIR)  # this tree compiles everything like this
    set_target_properties(${name}_plugin_objects PROPERTIES POSITION_INDEPENDENT_CODE ON
      C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  endif()

  add_library(${name}_plugin MODULE)
  target_link_libraries(${name}_plugin PRIVATE ${name}_plugin_objects)
  set_target_properties(${name}_plugin PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${plugin_dir}
    LINK_DEPENDS ${PATCHBAY_PLUGIN_VERSION_SCRIPT})
  target_link_options(${name}_plugin PRIVATE
    -Wl,--version-script=${PATCHBAY_PLUGIN_VERSION_SCRIPT} -Wl,-z,defs -Wl,--exclude-libs,ALL)
  configure_file(${arg_MANIFEST} ${manifest_dir}/${name}.json COPYONLY)

  if(NOT arg_TESTING)
    set_property(GLOBAL APPEND PROPERTY PATCHBAY_PLUGINS ${name}_plugin)
    string(REPLACE _ - package patchbay-plugin-${name})
    install(TARGETS ${name}_plugin COMPONENT ${package}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/patchbay/plugins)
    install(FILES ${arg_MANIFEST} COMPONENT ${package} DESTINATION ${CMAKE_INSTALL_DATADIR}/patchbay/manifests)
  endif()

  if(PATCHBAY_BUILD_TESTS OR BUILD_TESTING)
    patchbay_test_plugin(${name} ${plugin_dir} "${arg_TESTS}" "${arg_TEST_LIBRARIES}")
  endif()
endfunction()

function(patchbay_read_manifest name manifest out_version)
  file(READ ${manifest} text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${manifest})
  string(JSON id ERROR_VARIABLE error GET "${text}" id)
  if(NOT id STREQUAL name)
    message(FATAL_ERROR "${manifest}: id must be '${name}', not '${id}' ${error}")
  endif()
  string(JSON version GET "${text}" version)
  set(${out_version} ${version} PARENT_SCOPE)
endfunction()

function(patchbay_test_plugin name plugin_dir tests libraries)
  if(TARGET patchbay-conformance)
    set(suite $<TARGET_FILE:patchbay-conformance>)
  else()
    find_program(PATCHBAY_CONFORMANCE patchbay-conformance)
    if(NOT PATCHBAY_CONFORMANCE)
      message(FATAL_ERROR "patchbay-conformance is not there; run `apt install patchbay-conformance`, "
                          "or configure with -DBUILD_TESTING=OFF")
    endif()
    set(suite ${PATCHBAY_CONFORMANCE})
  endif()
  add_test(NAME ${name}.conformance COMMAND ${PATCHBAY_TEST_LAUNCHER} ${suite} ${plugin_dir}/${name}.so)
  set_tests_properties(${name}.conformance PROPERTIES TIMEOUT 300)
  if(tests)
    patchbay_add_test(${name}_test SOURCES ${tests}
      LIBRARIES ${name}_plugin_objects patchbay::testing ${libraries})
  endif()
endfunction()

# patchbay_add_test(NAME SOURCES a_test.cc ... LIBRARIES target ... [TIMEOUT seconds])
# One GoogleTest executable, run as one test. PATCHBAY_BUILD_DIR and PATCHBAY_SOURCE_DIR are in its environment.
function(patchbay_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "patchbay_add_test(${name}): unknown: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 600)  # under a sanitizer; a tenth does else
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_compile_options(${name} PRIVATE -O0)
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${PATCHBAY_TEST_LAUNCHER} $<TARGET_FILE:${name}>)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT} ENVIRONMENT
    "PATCHBAY_BUILD_DIR=${CMAKE_BINARY_DIR};PATCHBAY_SOURCE_DIR=${CMAKE_SOURCE_DIR}")
endfunction()
