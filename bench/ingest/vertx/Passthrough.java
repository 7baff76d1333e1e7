import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes each body to Kafka as it came, and answers 200 once all in-sync replicas have it: `Passthrough PORT BROKERS TOPIC`. */
public final class Passthrough {
  private static final String OK = "{\"ActionStatus\":\"OK\",\"ErrorInfo\":\"\",\"ErrorCode\":0}";

  public static void main(String[] arguments) {
    int port = Integer.parseInt(arguments[0]);
    String topic = arguments[2];
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers", arguments[1],
                "acks", "all",
                "enable.idempotence", true,
                "linger.ms", 1),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    producer.partitionsFor(topic);
    Vertx vertx = Vertx.vertx();
    vertx
        .createHttpServer()
        .requestHandler(request -> take(vertx, producer, topic, request))
        .listen(port, "127.0.0.1")
        .await();
  }

  private static void take(
      Vertx vertx, KafkaProducer<byte[], byte[]> producer, String topic, HttpServerRequest request) {
    var context = vertx.getOrCreateContext();
    request
        .body()
        .onSuccess(
            body ->
                producer.send(
                    new ProducerRecord<>(topic, body.getBytes()),
                    (written, failure) ->
                        context.runOnContext(
                            ignored -> {
                              var response = request.response().putHeader("content-type", "application/json");
                              if (failure == null) response.end(OK);
                              else response.setStatusCode(503).end();
                            })));
  }

  private Passthrough() {}
}
