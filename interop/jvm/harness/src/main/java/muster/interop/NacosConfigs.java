package muster.interop;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/** The configs of a namespace as an operator with a plain HTTP client reads and changes them. */
public final class NacosConfigs {
    private final HttpClient http = HttpClient.newHttpClient();
    private final String base;
    private final String namespace;

    /** Takes {@code HOST:PORT} and the id of the namespace, empty for the public one. */
    public NacosConfigs(String address, String namespace) {
        base = "http://" + address + "/nacos/v1/cs/configs";
        this.namespace = namespace;
    }

    public void publish(String group, String dataId, String content) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base));
        request.header("Content-Type", "application/x-www-form-urlencoded");
        request.POST(BodyPublishers.ofString(form(group, dataId) + "&content=" + encoded(content)));
        Checks.equal("true", send(request));
    }

    public void remove(String group, String dataId) throws Exception {
        Checks.equal("true", send(HttpRequest.newBuilder(URI.create(base + "?" + form(group, dataId))).DELETE()));
    }

    /** The content, or what the server says instead. */
    public String content(String group, String dataId) throws Exception {
        return send(HttpRequest.newBuilder(URI.create(base + "?" + form(group, dataId))));
    }

    private String send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), BodyHandlers.ofString()).body();
    }

    private String form(String group, String dataId) {
        return "tenant=" + namespace + "&group=" + encoded(group) + "&dataId=" + encoded(dataId);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
