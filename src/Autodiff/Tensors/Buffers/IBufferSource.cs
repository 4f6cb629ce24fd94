namespace Convoy.Autodiff.Tensors.Buffers;

/// <summary>A strategy of <see cref="BufferPool"/>. Called under the pool's lock.</summary>
internal interface IBufferSource
{
    /// <summary>Bytes that wait to be lent again.</summary>
    long HeldBytes { get; }

    /// <summary>A block of exactly so many usable bytes, with any contents.</summary>
    /// <param name="bytes">Usable bytes.</param>
    /// <param name="reused">It was used before, or is part of what was reserved before.</param>
    BufferBlock Rent(long bytes, out bool reused);

    /// <summary>A block comes back from its scope.</summary>
    void Return(BufferBlock block);

    /// <summary>Gives up what waits, largest first, until at most so many bytes are left.</summary>
    void Trim(long keepBytes);

    /// <summary>A place to go back to; scopes of one pool end innermost first.</summary>
    long Mark() => 0;

    /// <summary>Everything that was rented since the mark has come back.</summary>
    void Reset(long mark)
    {
    }
}
