using System.Collections.Immutable;

namespace TinyLlm.Text.Constraints;

/// <summary>Inside an object, between its members: after the opening brace, after a comma, or after a member.</summary>
internal sealed class ObjectFrame : JsonFrame
{
    private readonly ObjectShape _shape;
    private readonly Place _place;
    private readonly KeySet _unseen;
    private readonly ImmutableHashSet<string> _others;
    private readonly int _members, _whitespace, _depth;

    private ObjectFrame(
        ObjectShape shape, Place place, KeySet unseen, ImmutableHashSet<string> others, int members, int whitespace, int depth, JsonFrame outer)
        : base(outer) =>
        (_shape, _place, _unseen, _others, _members, _whitespace, _depth) = (shape, place, unseen, others, members, whitespace, depth);

    private enum Place
    {
        Open,
        AfterComma,
        AfterMember,
    }

    /// <summary>Required properties that are not there yet.</summary>
    private int Missing => _unseen.And(_shape.Required).Count;

    /// <summary>Whether every member that may still come must be a required one.</summary>
    private bool IsFull => _shape.MaxProperties is { } max && _members + Missing >= max;

    public static ObjectFrame Begin(ObjectShape shape, int depth, JsonFrame outer) =>
        new(shape, Place.Open, shape.Fitting(depth), ImmutableHashSet<string>.Empty, 0, 0, depth, outer);

    public override void Step(byte value, JsonReadings readings)
    {
        if (IsWhitespace(value))
        {
            if (_whitespace < ConstraintLimits.MaxWhitespace) readings.Add(new ObjectFrame(_shape, _place, _unseen, _others, _members, _whitespace + 1, _depth, Outer));
            return;
        }
        switch (value)
        {
            case (byte)'}' when _place != Place.AfterComma && Missing == 0 && _members >= _shape.MinProperties:
                readings.Add(Outer);
                break;
            case (byte)',' when _place == Place.AfterMember && CanHaveMore():
                readings.Add(new ObjectFrame(_shape, Place.AfterComma, _unseen, _others, _members, 0, _depth, Outer));
                break;
            case (byte)'"' when _place != Place.AfterMember && CanHaveMore():
                readings.Add(KeyFrame.Begin(this));
                break;
        }
    }

    /// <summary>The named properties that may come next.</summary>
    public KeySet Allowed => IsFull ? _unseen.And(_shape.Required) : _unseen;

    /// <summary>Whether a property without a name in the schema may come next.</summary>
    public bool MayHaveOther => !IsFull && _shape.Others.Fits(_depth);

    public KeyTrie Trie => _shape.Trie;

    /// <summary>
    /// What goes on after the key <paramref name="name"/>: a colon, the value and then this object, with one member more. Null: the key is not allowed,
    /// for instance because it is there already.
    /// </summary>
    public JsonFrame? AfterKey(string name)
    {
        if (_shape.IndexOf(name) is { } index)
            return Allowed.Contains(index) ? Colon(_shape.Shapes[index], _unseen.Without(index), _others) : null;
        return MayHaveOther && !_others.Contains(name) ? Colon(_shape.Others, _unseen, _others.Add(name)) : null;
    }

    private ColonFrame Colon(ValueShape value, KeySet unseen, ImmutableHashSet<string> others) =>
        new(new ValueFrame(value, 0, _depth, new ObjectFrame(_shape, Place.AfterMember, unseen, others, _members + 1, 0, _depth, Outer)), 0);

    private bool CanHaveMore() => !(_members >= _shape.MaxProperties) && (MayHaveOther || Allowed.Count > 0);
}
