namespace Convoy.Actors;

/// <summary>
/// Where an actor lives: <c>convoy://system/user/parent/child</c>. Two lives of one name have different uids.
/// </summary>
public sealed class ActorPath : IEquatable<ActorPath>
{
    private readonly string _text;

    internal ActorPath(string root, ActorPath? parent, string name, long uid)
    {
        Root = root;
        Parent = parent;
        Name = name;
        Uid = uid;
        _text = parent is null ? root + "/" : parent.Parent is null ? parent._text + name : parent._text + "/" + name;
    }

    public string Name { get; }
    public ActorPath? Parent { get; }
    public long Uid { get; }
    internal string Root { get; }

    internal ActorPath Child(string name, long uid) => new(Root, this, name, uid);

    public override string ToString() => _text;

    public bool Equals(ActorPath? other) =>
        other is not null && string.Equals(_text, other._text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as ActorPath);

    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);
}
