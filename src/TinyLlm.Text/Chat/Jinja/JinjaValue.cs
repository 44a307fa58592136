namespace TinyLlm.Text.Jinja;

/// <summary>
/// What a template works with: plain data, the functions of this folder and the template's own macros. No type of the host can be reached from any of them.
/// </summary>
internal abstract record JinjaValue
{
    public static JinjaValue Missing { get; } = new Undefined();

    public static JinjaValue None { get; } = new Null();

    public static JinjaValue True { get; } = new Bool(true);

    public static JinjaValue False { get; } = new Bool(false);

    /// <summary>What the value is, for messages.</summary>
    public abstract string Kind { get; }

    public virtual bool IsTrue => true;

    public static JinjaValue Of(bool value) => value ? True : False;

    public static Text Of(string value) => new(value);

    public static Number Of(long value) => new(value, IsFloat: false);

    public sealed record Undefined : JinjaValue
    {
        public override string Kind => "undefined";

        public override bool IsTrue => false;
    }

    public sealed record Null : JinjaValue
    {
        public override string Kind => "none";

        public override bool IsTrue => false;
    }

    public sealed record Bool(bool Value) : JinjaValue
    {
        public override string Kind => "a boolean";

        public override bool IsTrue => Value;
    }

    /// <summary>Integers are exact up to 2^53, which is beyond what a template counts.</summary>
    public sealed record Number(double Value, bool IsFloat) : JinjaValue
    {
        public override string Kind => "a number";

        public override bool IsTrue => Value != 0;
    }

    public sealed record Text(string Value) : JinjaValue
    {
        public override string Kind => "a string";

        public override bool IsTrue => Value.Length > 0;
    }

    /// <summary>Never changed after it was made.</summary>
    public sealed record List(IReadOnlyList<JinjaValue> Items) : JinjaValue
    {
        public override string Kind => "a list";

        public override bool IsTrue => Items.Count > 0;
    }

    /// <summary>Never changed after it was made.</summary>
    public sealed record Map(OrderedDictionary<string, JinjaValue> Items) : JinjaValue
    {
        public override string Kind => "a mapping";

        public override bool IsTrue => Items.Count > 0;
    }

    /// <summary>The one value whose members a template can set.</summary>
    public sealed record Namespace(OrderedDictionary<string, JinjaValue> Items) : JinjaValue
    {
        public override string Kind => "a namespace";
    }

    public sealed record Function(string Name, Func<JinjaArguments, JinjaValue> Body) : JinjaValue
    {
        public override string Kind => "a function";
    }
}
