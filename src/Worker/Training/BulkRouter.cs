using Convoy.Actors.Remoting;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// The process has one receiver of bulk frames; the trainer of the moment is behind it. None: frames are drained.
/// </summary>
internal sealed class BulkRouter : IBulkReceiver
{
    private volatile IBulkReceiver? _target;

    public IBulkReceiver? Target
    {
        get => _target;
        set => _target = value;
    }

    public Memory<byte> Rent(Peer from, in BulkHeader header) => _target?.Rent(from, header) ?? default;

    public void Received(Peer from, in BulkHeader header, Memory<byte> payload) =>
        _target?.Received(from, header, payload);

    public void Damaged(Peer from, in BulkHeader header, string why) => _target?.Damaged(from, header, why);

    public void Return(Memory<byte> rented) => _target?.Return(rented);
}
