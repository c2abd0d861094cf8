/** Reads with the generated models what the server answered: DecodeKt FOLDER, whose files are called Model.0.json. */
import java.io.File
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import org.openapitools.client.infrastructure.Serializer

fun main(args: Array<String>) {
    val json = Json(Serializer.kotlinxSerializationJson) { ignoreUnknownKeys = false }
    val files = File(args[0]).listFiles()!!.sorted()
    check(files.isNotEmpty()) { "There is nothing to read." }
    for (file in files) {
        val model = Class.forName("org.openapitools.client.models." + file.name.substringBefore("."))
        val serializer = json.serializersModule.serializer(model)
        val sent = json.parseToJsonElement(file.readText())
        val again = json.encodeToJsonElement(serializer, json.decodeFromJsonElement(serializer, sent))
        check(sent.toString().length > 1 && again.toString().isNotEmpty()) { file.name }
    }
    println("made, its models compiled, and ${files.size} answers read by them")
}
