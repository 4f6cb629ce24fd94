using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Convoy.Actors.Remoting.Security;
using Convoy.Coordinator.Security;
using Microsoft.AspNetCore.Connections;

namespace Convoy.Coordinator.Hosting;

/// <summary>A TLS stream as a connection of the HTTP server; requests on it know who sent them.</summary>
internal sealed class StreamConnection : DefaultConnectionContext
{
    private static long _count;

    private readonly Stream _stream;
    private Action? _ended;

    public StreamConnection(SecureStream secure, Action ended)
        : base("tls-" + Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture))
    {
        _stream = secure.Stream;
        _ended = ended;
        RemoteEndPoint = secure.Remote;
        Transport = new Pipes(PipeReader.Create(_stream), PipeWriter.Create(_stream));
        Features.Set(new PeerFeature(secure.Peer, (secure.Remote as IPEndPoint)?.Address.ToString()
            ?? "an unknown address"));
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        base.Abort(abortReason);
        _stream.Dispose(); // ends a read or write that is under way
    }

    public override async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        Interlocked.Exchange(ref _ended, null)?.Invoke();
        await base.DisposeAsync();
    }

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
