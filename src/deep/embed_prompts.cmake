# Writes OUT with the text of each prompt of FOLDER and of the schema of its reply.
# cmake -DFOLDER=prompts -DOUT=file.cpp -P embed_prompts.cmake
file(GLOB files ${FOLDER}/*.md)
list(FILTER files EXCLUDE REGEX "README.md$")
set(source "#include \"deep/embedded_prompts.h\"\n\nnamespace prismvid::deep {\n\nconst EmbeddedPrompt kEmbeddedPrompts[] = {\n")
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  file(READ ${FOLDER}/schemas/${name}.json schema)
  string(APPEND source "    {\"${name}\", R\"prompt(${text})prompt\", R\"schema(${schema})schema\"},\n")
endforeach()
string(APPEND source "    {nullptr, nullptr, nullptr},\n};\n\n}  // namespace prismvid::deep\n")
file(WRITE ${OUT} "${source}")
