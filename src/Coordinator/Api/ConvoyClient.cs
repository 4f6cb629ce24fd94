using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Convoy.Shared;

namespace Convoy.Coordinator.Api;

/// <summary>The HTTP API as methods. Every failure is a <see cref="UserException"/> that names the address.</summary>
public sealed class ConvoyClient : IDisposable
{
    private readonly HttpClient _http;

    public ConvoyClient(string address, TimeSpan? timeout = null)
    {
        Address = address;
        if (!Uri.TryCreate($"http://{address}/", UriKind.Absolute, out var uri) || uri.Port <= 0)
            throw new UserException(ExitCode.Usage, $"'{address}' is not HOST:PORT");
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = uri,
            Timeout = timeout ?? TimeSpan.FromSeconds(10),
        };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    public string Address { get; }

    /// <summary>The coordinator of a state folder.</summary>
    public static ConvoyClient OfState(string stateDirectory) => new(EndpointFile.Read(stateDirectory).Address);

    public Task<SubmitReply> SubmitAsync(SubmitRequest request, CancellationToken cancel = default) =>
        PostAsync<SubmitRequest, SubmitReply>("api/jobs", request, cancel);

    public Task<StatusReport> StatusAsync(CancellationToken cancel = default) =>
        GetAsync<StatusReport>("api/status", cancel);

    public Task<StepsPage> StepsAsync(long from, CancellationToken cancel = default) =>
        GetAsync<StepsPage>(FormattableString.Invariant($"api/steps?from={from}"), cancel);

    public Task<Accepted> StopAsync(StopRequest request, CancellationToken cancel = default) =>
        PostAsync<StopRequest, Accepted>("api/stop", request, cancel);

    public Task<Accepted> ScaleAsync(int workers, CancellationToken cancel = default) =>
        PostAsync<ScaleRequest, Accepted>("api/scale", new ScaleRequest { Workers = workers }, cancel);

    public void Dispose() => _http.Dispose();

    private Task<TReply> GetAsync<TReply>(string path, CancellationToken cancel) =>
        CallAsync<TReply>(() => _http.GetAsync(path, cancel), cancel);

    private Task<TReply> PostAsync<TRequest, TReply>(string path, TRequest body, CancellationToken cancel) =>
        CallAsync<TReply>(() => _http.PostAsJsonAsync(path, body, ApiJson.Options, cancel), cancel);

    private async Task<TReply> CallAsync<TReply>(Func<Task<HttpResponseMessage>> call, CancellationToken cancel)
    {
        try
        {
            using var response = await call();
            if (!response.IsSuccessStatusCode) throw await RefusalAsync(response, cancel);
            return await response.Content.ReadFromJsonAsync<TReply>(ApiJson.Options, cancel)
                ?? throw Unreadable("an empty answer");
        }
        catch (HttpRequestException e)
        {
            throw new UserException(ExitCode.Cluster,
                $"no coordinator answers at {Address} ({e.Message}): is it running, and is the address right?");
        }
        catch (JsonException e)
        {
            throw Unreadable(e.Message);
        }
        catch (TaskCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new UserException(ExitCode.Cluster,
                $"the coordinator at {Address} did not answer within {_http.Timeout.TotalSeconds:0} s");
        }
    }

    private async Task<UserException> RefusalAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var text = await response.Content.ReadAsStringAsync(cancel);
        try
        {
            if (JsonSerializer.Deserialize<ErrorReply>(text, ApiJson.Options) is { } reply)
                return new UserException((ExitCode)reply.ExitCode, reply.Error);
        }
        catch (JsonException)
        {
            // Somebody else than a coordinator answers: the status line below is all we can say.
        }

        return Unreadable($"HTTP {(int)response.StatusCode}");
    }

    private UserException Unreadable(string what) =>
        new(ExitCode.Cluster, $"{Address} does not answer like a coordinator of this version: {what}");
}
