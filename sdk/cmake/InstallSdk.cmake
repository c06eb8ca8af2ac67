# patchbay_install_sdk(): installs what plugins outside this tree are built with, as the component libpatchbay-dev.
# Every static library patchbay_NAME under sdk/ becomes patchbay::NAME of find_package(patchbay), with its headers.
function(patchbay_install_sdk)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/patchbay)
  set(libraries "")
  patchbay_libraries_in(${CMAKE_SOURCE_DIR}/sdk libraries)
  foreach(library IN LISTS libraries)
    string(REPLACE patchbay_ "" name ${library})
    set_target_properties(${library} PROPERTIES EXPORT_NAME ${name})
    patchbay_install_headers(${library})
  endforeach()
  install(TARGETS ${libraries} EXPORT patchbay COMPONENT libpatchbay-dev ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT patchbay NAMESPACE patchbay:: FILE patchbay-targets.cmake COMPONENT libpatchbay-dev
    DESTINATION ${package_dir})

  include(CMakePackageConfigHelpers)
  file(WRITE ${CMAKE_BINARY_DIR}/package/patchbay-config.cmake [[
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(jsoncpp CONFIG)
# Of the libraries beside patchbay::sdk: who links one without its package is told so by CMake.
foreach(package IN ITEMS CURL OpenSSL PostgreSQL SQLite3 simdjson ZLIB)
  find_package(${package} QUIET)
endforeach()
include(${CMAKE_CURRENT_LIST_DIR}/patchbay-targets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/PatchbayPlugin.cmake)
]])
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/patchbay-config-version.cmake
    COMPATIBILITY SameMajorVersion)
  set(LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
  configure_file(${CMAKE_SOURCE_DIR}/sdk/cmake/patchbay.pc.in ${CMAKE_BINARY_DIR}/package/patchbay.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/package/patchbay-config.cmake ${CMAKE_BINARY_DIR}/package/patchbay-config-version.cmake
    ${CMAKE_SOURCE_DIR}/sdk/cmake/PatchbayPlugin.cmake ${CMAKE_SOURCE_DIR}/sdk/cmake/plugin.map
    COMPONENT libpatchbay-dev DESTINATION ${package_dir})
  install(FILES ${CMAKE_BINARY_DIR}/package/patchbay.pc COMPONENT libpatchbay-dev
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

function(patchbay_libraries_in directory out)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type STREQUAL STATIC_LIBRARY AND target MATCHES "^patchbay_")
      list(APPEND ${out} ${target})
    endif()
  endforeach()
  get_property(subdirectories DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  list(FILTER subdirectories EXCLUDE REGEX /tests$)
  foreach(subdirectory IN LISTS subdirectories)
    patchbay_libraries_in(${subdirectory} ${out})
  endforeach()
  set(${out} ${${out}} PARENT_SCOPE)
endfunction()

# Its public folders in the source tree; all of them are one folder when installed.
function(patchbay_install_headers library)
  get_target_property(folders ${library} INTERFACE_INCLUDE_DIRECTORIES)
  set(interface "")
  foreach(folder IN LISTS folders)
    install(DIRECTORY ${folder}/ COMPONENT libpatchbay-dev DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
      FILES_MATCHING PATTERN *.h)
    list(APPEND interface $<BUILD_INTERFACE:${folder}>)
  endforeach()
  list(APPEND interface $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(${library} PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${interface}")
endfunction()
