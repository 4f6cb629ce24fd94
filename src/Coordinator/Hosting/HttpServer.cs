using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Convoy.Coordinator.Hosting;

/// <summary>Kestrel without the rest of a web framework: one function answers every request.</summary>
internal sealed class HttpServer : IHttpApplication<HttpContext>, IAsyncDisposable
{
    /// <summary>A submitted graph travels as base64 in JSON.</summary>
    private const long RequestBytesMax = 2L * Shared.Limits.ControlMessageBytesMax;

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    private readonly KestrelServer _server;
    private readonly Func<HttpContext, Task> _answer;

    private HttpServer(SharedPort port, Func<HttpContext, Task> answer)
    {
        _answer = answer;
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestBodySize = RequestBytesMax;
        options.Limits.RequestHeadersTimeout = HeadersTimeout;
        // Nothing is bound here: the port hands over what it accepted.
        options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        _server = new KestrelServer(Options.Create(options), port, NullLoggerFactory.Instance);
    }

    public static async Task<HttpServer> StartAsync(SharedPort port, Func<HttpContext, Task> answer)
    {
        var server = new HttpServer(port, answer);
        await server._server.StartAsync(server, CancellationToken.None);
        return server;
    }

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public Task ProcessRequestAsync(HttpContext context) => _answer(context);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _server.StopAsync(patience.Token);
        _server.Dispose();
    }
}
