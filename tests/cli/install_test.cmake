# The installed program runs from its own folder and finds the models beside it: cmake -DBUILD=... -DPREFIX=... -P this
file(REMOVE_RECURSE ${PREFIX})
foreach(component program models)
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX} --component ${component}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
set(ENV{XDG_DATA_HOME} ${PREFIX}/nobody)
unset(ENV{PRISMVID_MODELS})
execute_process(COMMAND ${PREFIX}/bin/prismvid models list OUTPUT_VARIABLE list COMMAND_ERROR_IS_FATAL ANY)
if(NOT list MATCHES "ppocrv6-det-small")
  message(FATAL_ERROR "the installed program does not find the models beside it:\n${list}")
endif()
