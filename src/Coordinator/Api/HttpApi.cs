using System.Globalization;
using System.Text.Json;
using Convoy.Actors;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Security;
using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;
using Convoy.Shared.Time;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Convoy.Coordinator.Api;

/// <summary>
/// The HTTP JSON API. Reads come from the board; commands are asked of the job and answered after they are taken.
/// A refused request gets <see cref="ErrorReply"/> with the line that a user sees.
/// </summary>
internal sealed class HttpApi(JobBoards boards, ILogSink log, TimeProvider time)
{
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(8);

    private readonly RefusalLog _refusals = new(text => log.Write(LogLevel.Warning, "http", text));
    private readonly OrderedLock _refusalsLock = new("refusals of the HTTP interface", LockRank.Leaf);
    private readonly SemaphoreSlim _submissions = new(1, 1);
    private readonly MonotonicClock _clock = new(time);

    private sealed record Leading(JobSubmission Submission, IActorRef Job, AdmissionApi Admission);

    private volatile Leading? _leading;

    /// <summary>Commands are taken from now on; a standby refuses them.</summary>
    /// <param name="submission">Looks at jobs.</param>
    /// <param name="job">Takes them.</param>
    /// <param name="admission">Tokens, joins and renewals.</param>
    public void Lead(JobSubmission submission, IActorRef job, AdmissionApi admission) =>
        _leading = new Leading(submission, job, admission);

    private Leading Leader => _leading ?? throw new StandbyRefusal(
        $"this coordinator stands by: {boards.Read(null).Reasons.FirstOrDefault() ?? "another one leads"}");

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            if (await IsAllowedAsync(context)) await RouteAsync(context);
        }
        catch (StandbyRefusal e)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            await WriteAsync(context, new ErrorReply
            { Error = e.Message, ExitCode = (int)ExitCode.Cluster, Standby = true });
        }
        catch (UserException e)
        {
            await RefuseAsync(context, StatusCodes.Status409Conflict, e.Message, e.Code);
        }
        catch (JsonException e)
        {
            await RefuseAsync(context, StatusCodes.Status400BadRequest, $"the request cannot be read: {e.Message}",
                ExitCode.Usage);
        }
        catch (AskTimeoutException)
        {
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable,
                $"the coordinator did not take the command within {AskTimeout.TotalSeconds:0} s", ExitCode.Cluster);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.Write(LogLevel.Error, "http",
                $"{context.Request.Method} {context.Request.Path} failed: {e.Message}", e);
            await RefuseAsync(context, StatusCodes.Status500InternalServerError, $"the coordinator failed: {e.Message}",
                ExitCode.Failed);
        }
    }

    private Task RouteAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/healthz") => context.Response.WriteAsync("ok\n"),
        ("GET", "/api/status") => WriteAsync(context, boards.Read(_leading is null ? null : Job(context))),
        ("GET", "/api/steps") => StepsAsync(context),
        ("POST", "/api/jobs") => SubmitAsync(context),
        ("POST", "/api/stop") => CommandAsync<StopRequest>(
            context, m => new TakeStop(m.Reason, m.Command) { Job = m.Job }),
        (_, "/api/tokens" or "/api/trust" or "/api/join" or "/api/renew") =>
            Leader.Admission.AnswerAsync(context),
        ("POST", "/api/scale") => CommandAsync<ScaleRequest>(
            context, m => new TakeScale(m.Workers, m.Command) { Job = m.Job }),
        ("POST", "/api/profile") => CommandAsync<ProfileRequest>(
            context, m => new TakeProfile(m.On) { Job = m.Job }),
        _ => RefuseAsync(context, StatusCodes.Status404NotFound,
            $"there is no {context.Request.Method} {context.Request.Path} here", ExitCode.Usage),
    };

    /// <summary>
    /// A plain connection is this machine's own and may do everything; over TLS the certificate decides.
    /// </summary>
    private async Task<bool> IsAllowedAsync(HttpContext context)
    {
        if (context.Features.Get<PeerFeature>() is not { } connection) return true;
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "");
        if (AccessRules.Refusal(method, path, connection.Peer) is not { } refusal)
        {
            if (AccessRules.IsOpen(method, path)
                && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
                size.MaxRequestBodySize = AccessRules.StrangerBytesMax;
            return true;
        }

        using (_refusalsLock.Enter())
            _refusals.Note(connection.Host, connection.Peer.Fault.ToString(), refusal, _clock.Now);
        await RefuseAsync(context, StatusCodes.Status403Forbidden, refusal, ExitCode.Cluster);
        return false;
    }

    private static string? Job(HttpContext context) =>
        context.Request.Query["job"].ToString() is { Length: > 0 } job ? job : null;

    private static long From(HttpContext context)
    {
        var text = context.Request.Query["from"].ToString();
        if (text.Length == 0) return 1;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var from) ? from
            : throw new UserException(ExitCode.Usage, $"from={text} is not a step number");
    }

    private Task StepsAsync(HttpContext context)
    {
        _ = Leader; // one that stands by has no rows
        return WriteAsync(context, boards.Metrics(Job(context)).Read(From(context)));
    }

    private async Task SubmitAsync(HttpContext context)
    {
        var request = await ReadAsync<SubmitRequest>(context);
        var submission = Leader.Submission;
        SubmitReply reply;
        // The place of a job depends on the jobs before it.
        await _submissions.WaitAsync(context.RequestAborted);
        try
        {
            // Its answer may have been lost on the way (L6).
            reply = await submission.TakenBeforeAsync(request.Command)
                ?? await AskAsync<SubmitReply>(await submission.PrepareAsync(request));
        }
        finally
        {
            _submissions.Release();
        }

        await WriteAsync(context, reply);
    }

    private async Task CommandAsync<TRequest>(HttpContext context, Func<TRequest, object> command) =>
        await WriteAsync(context, await AskAsync<Accepted>(command(await ReadAsync<TRequest>(context))));

    private async Task<TReply> AskAsync<TReply>(object command) =>
        await Leader.Job.Ask<object>(command, AskTimeout) switch
        {
            Actors.Status.Failure failure => throw failure.Cause,
            TReply reply => reply,
            var other => throw new InvariantException($"no handler for the answer {other.GetType().Name}"),
        };

    internal static async Task<T> ReadAsync<T>(HttpContext context) =>
        await JsonSerializer.DeserializeAsync<T>(context.Request.Body, ApiJson.Options, context.RequestAborted)
        ?? throw new JsonException("the body is null");

    internal static Task WriteAsync<T>(HttpContext context, T reply)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, reply, ApiJson.Options, context.RequestAborted);
    }

    private static Task RefuseAsync(HttpContext context, int status, string text, ExitCode code)
    {
        if (context.Response.HasStarted) return Task.CompletedTask;
        context.Response.StatusCode = status;
        return WriteAsync(context, new ErrorReply { Error = text, ExitCode = (int)code });
    }
}
