/** What the expression language knows by itself, for completion: docs/reference/expressions.md says what each does. */

const list = (words: string): readonly string[] => words.trim().split(/\s+/);

/** Functions of their own. */
export const FUNCTIONS = list("size( has( type( int( double( string( bool( bytes( timestamp( duration( uint( dyn(");

/** What begins with a name and a point. */
export const NAMESPACES: Readonly<Record<string, readonly string[]>> = {
  math: list("round( floor( ceil( trunc( abs( sign( greatest( least("),
  lists: list("range("),
  optional: list("of( none() ofNonZeroValue("),
  base64: list("encode( decode("),
};

/** What is written behind a value and a point, by what it is about. */
export const METHODS: Readonly<Record<string, readonly string[]>> = {
  "any": list("size() toJson()"),
  "list or map": list("map( filter( all( exists( exists_one( existsOne( sortBy( transformList( transformMap("),
  "list": list("first() last() sum() join( sort() distinct() slice( flatten( reverse()"),
  "text": list("contains( startsWith( endsWith( matches( lowerAscii() upperAscii() trim() split( replace( substring( indexOf( lastIndexOf( charAt( urlEncode()"),
  "optional": list("orValue( or( hasValue() value() optMap( optFlatMap("),
  "time": list("getFullYear( getMonth( getDate( getDayOfMonth( getDayOfWeek( getDayOfYear( getHours( getMinutes( getSeconds( getMilliseconds("),
};
